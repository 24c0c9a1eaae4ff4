#include "core/link/link_event.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

#include "core/link/kind.h"
#include "core/link/requests.h"

namespace flintap {
namespace {

LinkEvent of_index(const ifinfomsg& info) {
  LinkEvent event;
  event.index = static_cast<std::uint32_t>(info.ifi_index);
  return event;
}

// A wireless driver's event has the link's header and IFLA_WIRELESS, and nothing else of it.
std::optional<LinkEvent> whole_link(const netlink::Frame& frame, const ifinfomsg& info) {
  if (netlink::find(frame.body.subspan(sizeof info), IFLA_WIRELESS)) return std::nullopt;
  auto link = read_link(frame);
  if (!link) return std::nullopt;
  LinkEvent event = of_index(info);
  event.link = std::make_unique<Link>(std::move(*link));
  return event;
}

// IFLA_PROTINFO has what stands in IFLA_INFO_SLAVE_DATA, or in IFLA_AF_SPEC for IPv6.
std::optional<LinkEvent> part_of_link(const netlink::Frame& frame, const ifinfomsg& info) {
  const auto part = netlink::find(frame.body.subspan(sizeof info), IFLA_PROTINFO);
  if (!part) return std::nullopt;
  LinkEvent event = of_index(info);
  if (info.ifi_family == AF_INET6) {
    event.ipv6 = read_ipv6(part->payload);
    return event;
  }
  const Schema* port = find_kind("bridge")->port;
  event.port = port->make();
  decode(*event.port, *port, part->payload);
  return event;
}

}  // namespace

std::optional<LinkEvent> read_link_event(const netlink::Frame& frame) {
  ifinfomsg info{};
  if (frame.body.size() < sizeof info) return std::nullopt;
  std::memcpy(&info, frame.body.data(), sizeof info);
  const bool is_new = frame.header.nlmsg_type == RTM_NEWLINK;
  if (frame.header.nlmsg_type == RTM_DELLINK && info.ifi_family == AF_UNSPEC) {
    LinkEvent event = of_index(info);
    event.removed = true;
    return event;
  }
  if (is_new && info.ifi_family == AF_UNSPEC) return whole_link(frame, info);
  if (is_new && (info.ifi_family == AF_BRIDGE || info.ifi_family == AF_INET6)) {
    return part_of_link(frame, info);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> read_deletion(const netlink::Frame& frame) {
  const auto event = read_link_event(frame);
  if (!event || !event->removed) return std::nullopt;
  if (netlink::find(frame.body.subspan(sizeof(ifinfomsg)), IFLA_NEW_NETNSID)) return std::nullopt;
  return event->index;
}

}  // namespace flintap
