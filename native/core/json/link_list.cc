#include "core/json/link_list.h"

#include <utility>

namespace flintap {

void LinkList::add(const Link& link) {
  if (links_ == kLinksAtATime) {
    if (tell_) {
      tell_(end_part());
      has_told_ = true;
    } else {
      parts_.push_back(end_part());
    }
  }
  if (links_ == 0) json_.begin_array();
  write_json(json_, link, kLinkSchema, unknown_);
  ++links_;
}

void LinkList::restart() {
  parts_.clear();
  json_ = JsonWriter();
  links_ = 0;
  if (std::exchange(has_told_, false)) tell_(std::nullopt);
}

std::vector<LinkList::Part> LinkList::take() {
  if (links_ > 0 || parts_.empty()) parts_.push_back(end_part());
  return std::exchange(parts_, {});
}

LinkList::Part LinkList::end_part() {
  if (links_ == 0) return {};
  json_.end_array();
  // The next is about as long: text that grows is copied again and again.
  const std::size_t room = json_.text().size() * 9 / 8;
  Part part{.text = std::move(json_.text()), .is_ascii = json_.is_ascii(), .links = links_};
  json_ = JsonWriter();
  if (links_ == kLinksAtATime) json_.reserve(room);
  links_ = 0;
  return part;
}

}  // namespace flintap
