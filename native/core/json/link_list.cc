#include "core/json/link_list.h"

#include <utility>

namespace flintap {

void LinkList::add(const Link& link) {
  if (links_ == kLinksAtATime) {
    end_part();
    // The next is about as long: text that grows is copied again and again.
    json_.reserve(parts_.back().text.size() * 9 / 8);
  }
  if (links_ == 0) json_.begin_array();
  write_json(json_, link, kLinkSchema, unknown_);
  ++links_;
}

std::vector<LinkList::Part> LinkList::take() {
  if (links_ > 0) end_part();
  if (parts_.empty()) parts_.emplace_back();
  return std::exchange(parts_, {});
}

void LinkList::end_part() {
  json_.end_array();
  parts_.push_back(
      {.text = std::move(json_.text()), .is_ascii = json_.is_ascii(), .links = links_});
  json_ = JsonWriter();
  links_ = 0;
}

}  // namespace flintap
