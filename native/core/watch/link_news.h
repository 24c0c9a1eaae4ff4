// What has happened to links since it was last handed over: one entry a device, however many events
// there were. So a consumer that sleeps costs memory for the devices there are, not for what
// happens to them. No thread of its own; whoever holds it guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/link/link_event.h"

namespace flintap {

struct LinkNews {
  std::uint32_t index = 0;
  bool initial = false;  // it was there when the first listing was made
  bool removed = false;  // what was handed over is gone; a link besides is another one
  std::unique_ptr<Link> link;
  // Parts that changed of what was handed over.
  std::unique_ptr<Record> port;
  std::unique_ptr<LinkIpv6> ipv6;
};

class LinkNewsQueue {
 public:
  void take(LinkEvent event);

  // All links that there are, which makes up for lost events: what is not among them is gone, and
  // that is told first, since its name may be another one's now.
  void take_listing(std::vector<LinkEvent> all);

  [[nodiscard]] bool empty() const { return by_age_.empty(); }
  [[nodiscard]] std::size_t size() const { return by_age_.size(); }
  // All of it, the oldest first.
  std::deque<LinkNews> hand_over();

 private:
  LinkNews& entry(std::uint32_t index);
  void forget(std::uint32_t index);
  void remove(std::uint32_t index);

  std::uint64_t age_ = 0;
  std::map<std::uint64_t, LinkNews> by_age_;
  std::unordered_map<std::uint32_t, std::uint64_t> age_of_;
  std::unordered_set<std::uint32_t> handed_over_;  // what the consumer takes to be there
  bool listed_once_ = false;
};

}  // namespace flintap
