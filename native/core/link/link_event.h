// What a multicast message of rtnetlink says about a link.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/link/link.h"
#include "core/netlink/message.h"

namespace flintap {

// One of the four: the whole link, or a part of it, or that it is gone.
struct LinkEvent {
  std::uint32_t index = 0;
  bool removed = false;
  std::unique_ptr<Link> link;
  std::unique_ptr<Record> port;  // a bridge's port settings
  std::unique_ptr<LinkIpv6> ipv6;
};

// Nothing for a message that says none of these. Not every RTM_DELLINK is a removal: a port that
// leaves its bridge has one of family AF_BRIDGE, and is told of by a link without master as well.
std::optional<LinkEvent> read_link_event(const netlink::Frame& frame);

// The index of the link, if the message says that one was deleted. One that was moved to another
// namespace is gone from here as well, but lives on.
std::optional<std::uint32_t> read_deletion(const netlink::Frame& frame);

}  // namespace flintap
