#include "core/executor/settlement.h"

#include <algorithm>
#include <chrono>

#include "core/json/record_json.h"

namespace flintap {
namespace {

// So that text of many links is not copied to make room for the rest.
constexpr std::size_t kRoomBesideLinks = 256;

Settlement part(JsonWriter& json, std::size_t links) {
  return {.text = std::move(json.text()),
          .is_ascii = json.is_ascii(),
          .fds = {},
          .links = links,
          .is_last = true,
          .is_end = false};
}

void write_links(JsonWriter& json, const LinkList::Part& links) {
  json.key("links");
  json.raw(links.text, links.is_ascii);
}

void write_outcome(JsonWriter& json, const Outcome& outcome) {
  json.key("fds");
  json.begin_array();
  for (const Fd& fd : outcome.fds) json.value(fd.get());
  json.end_array();
  if (outcome.boot_id) json.member("bootId", std::string_view(*outcome.boot_id));
  if (outcome.machine_id) json.member("machineId", std::string_view(*outcome.machine_id));
  if (outcome.network_namespace) json.member("namespace", *outcome.network_namespace);
}

// In milliseconds, to the microsecond: digits cost time to write and to parse.
double milliseconds(std::chrono::steady_clock::duration time) {
  constexpr double kMicroseconds = 1'000.0;
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(time).count()) /
         kMicroseconds;
}

void write_work(JsonWriter& json, const Task& task) {
  json.key("work");
  json.begin_object();
  json.member("sends", task.sends);
  json.member("waited", milliseconds(task.begun - task.submitted));
  json.member("ran", milliseconds(task.ended - task.begun));
  json.end_object();
}

void write_holder(JsonWriter& json, const Holder& holder) {
  json.key("holder");
  json.begin_object();
  json.member("name", std::string_view(holder.name));
  if (holder.pid != 0) {
    json.member("pid", holder.pid);
  } else {
    json.member("kind", std::string_view(holder.kind));
    json.member("alias", std::string_view(holder.alias));
  }
  json.end_object();
}

void write_texts(JsonWriter& json, std::string_view name, std::span<const std::string> texts) {
  json.key(name);
  json.begin_array();
  for (const std::string& text : texts) json.value(std::string_view(text));
  json.end_array();
}

void write_if_said(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

void write_surroundings(JsonWriter& json, const Failure& failure) {
  write_if_said(json, "on", failure.on);
  if (failure.holder) write_holder(json, *failure.holder);
  if (failure.existing) {
    write_texts(json, "existing", *failure.existing);
    if (failure.existing_more != 0) json.member("existingMore", failure.existing_more);
  }
  if (!failure.left_behind.empty()) write_texts(json, "leftBehind", failure.left_behind);
}

Settlement early_part(const LinkList::Part& links, std::int64_t number) {
  JsonWriter json;
  json.reserve(links.text.size() + kRoomBesideLinks);
  json.begin_object();
  json.member("number", number);
  json.member("more", true);
  write_links(json, links);
  json.end_object();
  Settlement early = part(json, links.links);
  early.is_last = false;
  return early;
}

Settlement last_part(Task& task, std::int64_t number, const LinkList::Part& links) {
  JsonWriter json;
  json.reserve(links.text.size() + kRoomBesideLinks);
  json.begin_object();
  json.member("number", number);
  if (task.wrong) {
    json.member("wrong", std::string_view(*task.wrong));
  } else if (task.failure) {
    json.key("failure");
    write_json(json, *task.failure, task.operation->name);
  } else {
    write_links(json, links);
    write_outcome(json, task.outcome);
  }
  if (task.operation != nullptr) write_work(json, task);
  json.end_object();
  Settlement last = part(json, links.links);
  last.fds = std::move(task.outcome.fds);
  last.is_end = task.operation == nullptr;
  return last;
}

}  // namespace

std::vector<Settlement> settle(Task& task, std::int64_t number) {
  LinkList& listing = task.outcome.listing;
  for (const Link& link : task.outcome.links) listing.add(link);
  const auto lists = listing.take();
  std::vector<Settlement> parts;
  for (const LinkList::Part& links : std::span(lists).first(lists.size() - 1)) {
    parts.push_back(early_part(links, number));
  }
  parts.push_back(last_part(task, number, lists.back()));
  return parts;
}

std::vector<Settlement> settle_late(const Failure& failure) {
  JsonWriter json;
  json.begin_object();
  json.key("late");
  write_json(json, failure, "deleteLink");
  json.end_object();
  std::vector<Settlement> parts;
  parts.push_back(part(json, 0));
  parts.back().is_last = false;
  return parts;
}

void write_json(JsonWriter& json, const Failure& failure, std::string_view operation) {
  json.begin_object();
  json.member("errno", failure.error);
  json.member("reason", failure.reason);
  json.member("operation", operation);
  json.member("step", std::string_view(failure.step));
  write_if_said(json, "device", failure.device);
  write_if_said(json, "kernelMessage", failure.kernel_text);
  if (!failure.attribute.empty()) {
    json.member("attribute", std::string_view(failure.attribute));
    json.member("expected", std::string_view(failure.expected));
    json.member("actual", std::string_view(failure.actual));
  }
  write_surroundings(json, failure);
  json.end_object();
}

}  // namespace flintap
