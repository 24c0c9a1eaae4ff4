// A link, as rtnetlink knows it. In a request a field says "make it so"; in an answer the kernel
// says what is. The rows that name and number the fields are in link_schema.cc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/schema/record.h"
#include "core/schema/shape.h"

namespace flintap {

enum class OperState : std::uint8_t {
  unknown,
  not_present,
  down,
  lower_layer_down,
  testing,
  dormant,
  up,
};

// What the host's own IPv6 does on a link.
enum class HostIpv6 : std::uint8_t { closed, reduced, open };

template <>
inline constexpr auto enum_names<HostIpv6> = std::to_array<std::pair<HostIpv6, std::string_view>>({
    {HostIpv6::closed, "closed"},
    {HostIpv6::reduced, "reduced"},
    {HostIpv6::open, "open"},
});

struct LinkIpv6 : Record {
  std::optional<HostIpv6> state;
  std::optional<std::int32_t> accept_ra;
  std::optional<bool> forwarding;
  // What the state stands for; nothing where the link has no IPv6. JavaScript has the state.
  std::optional<bool> disabled;
  std::optional<std::uint8_t> address_mode;  // IN6_ADDR_GEN_MODE_*
};

struct LinkStatistics : Record {
  std::optional<std::uint64_t> rx_packets;
  std::optional<std::uint64_t> tx_packets;
  std::optional<std::uint64_t> rx_bytes;
  std::optional<std::uint64_t> tx_bytes;
  std::optional<std::uint64_t> rx_errors;
  std::optional<std::uint64_t> tx_errors;
  std::optional<std::uint64_t> rx_dropped;
  std::optional<std::uint64_t> tx_dropped;
  std::optional<std::uint64_t> multicast;
  std::optional<std::uint64_t> collisions;
  std::optional<std::uint64_t> rx_no_handler;
};

struct Link : Record {
  std::optional<std::string> kind;  // the kernel's string; empty for a physical link
  std::optional<std::uint32_t> index;
  std::optional<std::int64_t> network_namespace;  // as NetworkNamespace has it; not the kernel's
  std::optional<std::string> name;
  std::optional<std::vector<std::string>> alt_names;
  std::optional<std::string> alias;
  std::optional<HardwareAddress> mac;
  std::optional<HardwareAddress> permanent_mac;
  std::optional<HardwareAddress> broadcast_mac;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint32_t> min_mtu;
  std::optional<std::uint32_t> max_mtu;
  std::optional<std::uint32_t> tx_queue_length;
  std::optional<std::uint32_t> tx_queues;
  std::optional<std::uint32_t> rx_queues;
  std::optional<std::string> qdisc;
  std::optional<std::uint32_t> group;
  std::optional<bool> up;
  std::optional<bool> promiscuous;
  std::optional<std::uint32_t> flags;
  std::optional<bool> carrier;
  std::optional<std::uint32_t> carrier_changes;
  std::optional<OperState> oper_state;
  std::optional<std::uint32_t> promiscuity;
  std::optional<std::uint32_t> all_multicast;
  std::optional<std::uint32_t> parent;
  std::optional<std::int32_t> parent_namespace;
  std::optional<std::uint32_t> master;
  std::optional<std::string> port_kind;
  std::unique_ptr<Record> details;  // by kind
  std::unique_ptr<Record> port;     // by port_kind
  std::unique_ptr<LinkIpv6> ipv6;
  std::unique_ptr<LinkStatistics> statistics;

  [[nodiscard]] bool has_alt_name(std::string_view wanted) const;
  // The alt name that marks the links made here; empty when there is none.
  [[nodiscard]] std::string_view identity() const;
};

// Alt names that begin so are identities.
inline constexpr std::string_view kIdentityPrefix = "flintap-";
bool is_identity(std::string_view alt_name);

extern const Schema kLinkSchema;
extern const Schema kIpv6Schema;

// From what the kernel says of a link's IPv6 (IFLA_INET6_*).
std::unique_ptr<LinkIpv6> read_ipv6(netlink::Bytes attributes);

}  // namespace flintap
