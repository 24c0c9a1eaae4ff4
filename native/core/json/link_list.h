// Links as JSON, written one by one as they come: a listing of thousands that were kept as records
// until all are there would take more memory than a processor has at hand, and more time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/json/json_writer.h"
#include "core/json/record_json.h"
#include "core/link/link.h"

namespace flintap {

// How many links JavaScript takes before its event loop goes on.
inline constexpr std::size_t kLinksAtATime = 64;

class LinkList {
 public:
  // Some of the links, as an array.
  struct Part {
    std::string text = "[]";
    bool is_ascii = true;
    std::size_t links = 0;
  };

  LinkList() = default;
  explicit LinkList(Unknown unknown) : unknown_(unknown) {}

  void add(const Link& link);
  // All of them, each part but the last with as many links as are taken at a time. One part at
  // least.
  std::vector<Part> take();

 private:
  void end_part();

  Unknown unknown_ = Unknown::left_out;
  std::vector<Part> parts_;
  JsonWriter json_;  // of the part that has begun
  std::size_t links_ = 0;
};

}  // namespace flintap
