// What has happened to links since it was last handed over: one entry a device, however many events
// there were. So a consumer that sleeps costs memory for the devices there are, not for what
// happens to them. No thread of its own; whoever holds it guards it.
#pragma once

#include <cstdint>
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

  // A listing of all links, which makes up for lost events: those that are not in it are gone.
  void begin_listing() { listed_.clear(); }
  void take_listed(LinkEvent event);
  void end_listing();

  [[nodiscard]] bool empty() const { return by_age_.empty(); }
  [[nodiscard]] std::size_t size() const { return by_age_.size(); }
  // The oldest first.
  std::vector<LinkNews> hand_over(std::size_t most);

 private:
  LinkNews& entry(std::uint32_t index);
  void forget(std::uint32_t index);
  void remove(std::uint32_t index);

  std::uint64_t age_ = 0;
  std::map<std::uint64_t, LinkNews> by_age_;
  std::unordered_map<std::uint32_t, std::uint64_t> age_of_;
  std::unordered_set<std::uint32_t> handed_over_;  // what the consumer takes to be there
  std::unordered_set<std::uint32_t> listed_;
  bool listed_once_ = false;
};

}  // namespace flintap
