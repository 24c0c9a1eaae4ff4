#include "core/watch/link_news.h"

#include <utility>

namespace flintap {

LinkNews& LinkNewsQueue::entry(std::uint32_t index) {
  const auto known = age_of_.find(index);
  if (known != age_of_.end()) return by_age_.at(known->second);
  age_of_[index] = ++age_;
  LinkNews& news = by_age_[age_];
  news.index = index;
  news.initial = !listed_once_;
  return news;
}

void LinkNewsQueue::forget(std::uint32_t index) {
  const auto known = age_of_.find(index);
  if (known == age_of_.end()) return;
  by_age_.erase(known->second);
  age_of_.erase(known);
}

// Of a device that came and went in between, nobody hears.
void LinkNewsQueue::remove(std::uint32_t index) {
  if (!handed_over_.contains(index)) {
    forget(index);
    return;
  }
  LinkNews& news = entry(index);
  news.removed = true;
  news.link.reset();
  news.port.reset();
  news.ipv6.reset();
}

void LinkNewsQueue::take(LinkEvent event) {
  if (event.removed) {
    remove(event.index);
    return;
  }
  if (event.link) {
    LinkNews& news = entry(event.index);
    news.link = std::move(event.link);
    news.port.reset();
    news.ipv6.reset();
    return;
  }
  // A part of a link that is not there says nothing.
  const auto known = age_of_.find(event.index);
  if (known == age_of_.end() && !handed_over_.contains(event.index)) return;
  LinkNews& news = entry(event.index);
  if (news.removed && !news.link) return;
  if (event.port && news.link) {
    if (news.link->port_kind == "bridge") news.link->port = std::move(event.port);
  } else if (event.port) {
    news.port = std::move(event.port);
  }
  if (event.ipv6 && news.link) {
    news.link->ipv6 = std::move(event.ipv6);
  } else if (event.ipv6) {
    news.ipv6 = std::move(event.ipv6);
  }
}

void LinkNewsQueue::take_listing(std::vector<LinkEvent> all) {
  std::unordered_set<std::uint32_t> there;
  for (const LinkEvent& event : all) there.insert(event.index);
  std::vector<std::uint32_t> gone;
  for (const std::uint32_t index : handed_over_) {
    if (!there.contains(index)) gone.push_back(index);
  }
  for (const auto& [index, age] : age_of_) {
    if (!there.contains(index) && by_age_.at(age).link) gone.push_back(index);
  }
  for (const std::uint32_t index : gone) remove(index);
  for (LinkEvent& event : all) take(std::move(event));
  listed_once_ = true;
}

std::deque<LinkNews> LinkNewsQueue::hand_over() {
  std::deque<LinkNews> all;
  for (auto& [age, news] : by_age_) {
    if (news.link) {
      handed_over_.insert(news.index);
    } else if (news.removed) {
      handed_over_.erase(news.index);
    }
    all.push_back(std::move(news));
  }
  by_age_.clear();
  age_of_.clear();
  return all;
}

}  // namespace flintap
