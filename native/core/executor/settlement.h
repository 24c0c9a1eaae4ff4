// How a task ended, as text for JavaScript: written on the operation thread, so that the JavaScript
// thread has nothing to do but to parse it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/executor/executor.h"
#include "core/json/json_writer.h"

namespace flintap {

// A part of what came of a task: the links of a long list come in several.
struct Settlement {
  std::string text;      // a JSON object
  bool is_ascii = true;  // all of it
  std::vector<Fd> fds;   // those that the text names
  std::size_t links = 0;
  bool is_last = true;  // of its task
  bool is_end = false;  // of the thread
};

// One at least; only the last one's text says more than links. `number` is what the caller knows
// the task by. Takes the descriptors.
std::vector<Settlement> settle(Task& task, std::int64_t number);

// For what went wrong after its task was settled.
std::vector<Settlement> settle_late(const Failure& failure);

void write_json(JsonWriter& json, const Failure& failure, std::string_view operation);

}  // namespace flintap
