// The rtnetlink messages about links, each built by one function here, and the reading of what
// comes back. Nothing is sent here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/link/link.h"
#include "core/netlink/message.h"

namespace flintap {

// IFNAMSIZ without its NUL. Longer names are alt names.
inline constexpr std::size_t kLongestName = 15;

// How a request names a link. An identity is an atomic compare-and-act: gone or replaced is ENODEV.
// With index *and* name, the index addresses and the name is for whoever checks before acting.
struct Reference : Record {
  std::optional<std::string> identity;
  std::optional<std::uint32_t> index;
  std::optional<std::string> name;
  // Where the link was when it was read: elsewhere it is not looked for.
  std::optional<std::int64_t> network_namespace;
  // Look there and not in the socket's namespace (IFLA_TARGET_NETNSID); only for a get.
  std::optional<std::int32_t> looked_up_in;

  static Reference by_index(std::uint32_t number);
  static Reference by_name(std::string_view name);
  static Reference by_identity(std::string_view identity);
  // What an error calls it.
  [[nodiscard]] std::string label() const;
};

extern const Schema kReferenceSchema;

// What a dump is narrowed to by the kernel. It ignores a kind it does not know: check again.
struct DumpFilter {
  std::optional<std::string> kind;
  std::optional<std::uint32_t> master;
  bool statistics = false;
};

// Where a link is moved to.
struct Destination {
  int network_namespace = -1;  // a descriptor of it
  // Refuses to give up its index. Without, the kernel takes another one where it is taken there.
  std::optional<std::uint32_t> index;
  std::optional<std::string> name;
};

namespace requests {

netlink::Request get(const Reference& link, std::string_view step, bool statistics = false);
netlink::Request dump(const DumpFilter& filter);

// A new link, down. The kernel ignores an alias in a create, and alt names: send them after it.
netlink::Request create(const Link& link);
// RTM_SETLINK with every set field of `changes`. A new name takes a link addressed by its index:
// with an alt name beside it, the kernel takes the *new* name for the address.
netlink::Request change(const Reference& link, std::string_view step, const Link& changes);
// In their order, until one of them is refused.
netlink::Request add_alt_names(const Reference& link, std::string_view step,
                               std::span<const std::string> names);
netlink::Request remove_alt_name(const Reference& link, std::string_view step,
                                 const std::string& name);
// Applies against the master the port has *before* this message: send the master first.
netlink::Request set_port(const Reference& link, std::string_view step, std::string_view port_kind,
                          const Record& port, const Schema& schema);
// The link is down afterwards, and no port any more. To take a new name with it, a link has to be
// addressed by its index; the kernel moves it first, so it may be there under the old name then.
netlink::Request move(const Reference& link, std::string_view step, const Destination& destination);
// How the host makes itself IPv6 addresses on it: IN6_ADDR_GEN_MODE_*.
netlink::Request set_ipv6_addresses(const Reference& link, std::string_view step,
                                    std::uint8_t mode);
// Not at all.
netlink::Request stop_ipv6_addresses(const Reference& link, std::string_view step);
// Before "up": spares a multi-queue device one ring of packets for each of 256 queues.
netlink::Request set_noqueue(std::uint32_t index, std::string_view step);
netlink::Request remove(const Reference& link, std::string_view step);
netlink::Request set_group(const Reference& link, std::string_view step, std::uint32_t group);
// All links of a group at once: the kernel waits for its grace periods once. Refused as a whole
// when one of them can't be deleted.
netlink::Request remove_group(std::uint32_t group, std::string_view step);

}  // namespace requests

// The link in an RTM_NEWLINK; nothing when the frame is another message, or one about a bridge's
// port or table (ifi_family other than AF_UNSPEC). The kernel sends counters whether asked or not.
std::optional<Link> read_link(const netlink::Frame& frame, bool statistics = false);

// Writes the attributes of a whole link; VETH_INFO_PEER takes the same as an RTM_NEWLINK.
void write_link(const Link& link, netlink::AttributeWriter& writer);

}  // namespace flintap
