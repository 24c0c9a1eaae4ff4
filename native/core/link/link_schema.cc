// The table of a link: one row a field. A new attribute is a member in link.h and a row here.
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/link/kind.h"
#include "core/link/link.h"
#include "core/schema/field.h"

namespace flintap {

using enum Access;

template <>
inline constexpr auto enum_names<OperState> =
    std::to_array<std::pair<OperState, std::string_view>>({
        {OperState::unknown, "unknown"},
        {OperState::not_present, "notpresent"},
        {OperState::down, "down"},
        {OperState::lower_layer_down, "lowerlayerdown"},
        {OperState::testing, "testing"},
        {OperState::dormant, "dormant"},
        {OperState::up, "up"},
    });

namespace {

constexpr std::array ipv6_fields{
    field<&LinkIpv6::state>("state"),
    field<&LinkIpv6::accept_ra>("acceptRouterAdvertisements"),
    field<&LinkIpv6::forwarding>("forwarding"),
};

constexpr std::array statistics_fields{
    field<&LinkStatistics::rx_packets>("rxPackets"),
    field<&LinkStatistics::tx_packets>("txPackets"),
    field<&LinkStatistics::rx_bytes>("rxBytes"),
    field<&LinkStatistics::tx_bytes>("txBytes"),
    field<&LinkStatistics::rx_errors>("rxErrors"),
    field<&LinkStatistics::tx_errors>("txErrors"),
    field<&LinkStatistics::rx_dropped>("rxDropped"),
    field<&LinkStatistics::tx_dropped>("txDropped"),
    field<&LinkStatistics::multicast>("multicast"),
    field<&LinkStatistics::collisions>("collisions"),
    field<&LinkStatistics::rx_no_handler>("rxNoHandler"),
};
constexpr Schema statistics_schema{"statistics", statistics_fields, make_record<LinkStatistics>};

const Schema* details_of(const Link& link) {
  const Kind* kind = link.kind ? find_kind(*link.kind) : nullptr;
  return kind == nullptr ? nullptr : kind->details;
}

const Schema* port_of(const Link& link) {
  const Kind* kind = link.port_kind ? find_kind(*link.port_kind) : nullptr;
  return kind == nullptr ? nullptr : kind->port;
}

const Schema* ipv6_of(const Link&) { return &kIpv6Schema; }
const Schema* statistics_of(const Link&) { return &statistics_schema; }

// IFLA_PROP_LIST: a list of IFLA_ALT_IFNAME.
struct AltNames {
  using Names = std::vector<std::string>;
  static constexpr std::string_view expected = "a list of names";
  static std::optional<Names> decode(const netlink::Attribute& attribute) {
    Names names;
    netlink::AttributeReader reader(attribute.payload);
    while (auto name = reader.next()) {
      if (name->type == IFLA_ALT_IFNAME) names.push_back(name->text());
    }
    return names;
  }
  // RTM_NEWLINKPROP alone adds alt names; see requests.h.
  static void encode(netlink::AttributeWriter&, std::uint16_t, const Names&) {}
  static Value to_value(const Names& names) { return Texts(names); }
  static std::optional<Names> from_value(Value&& value) {
    auto* names = std::get_if<Names>(&value);
    return names == nullptr ? std::nullopt : std::optional(std::move(*names));
  }
};

// IFLA_INET6_CONF is an array of 32-bit numbers, indexed by DEVCONF_*; newer kernels append.
std::optional<std::int32_t> configuration(netlink::Bytes array, std::size_t place) {
  std::int32_t value = 0;
  if (array.size() < (place + 1) * sizeof value) return std::nullopt;
  std::memcpy(&value, array.data() + place * sizeof value, sizeof value);
  return value;
}

// A link without AF_INET6 in its IFLA_AF_SPEC has no IPv6 at all: a kernel without it, or an MTU
// below 1,280.
bool decode_ipv6(Record& record, const netlink::Attribute& families) {
  const auto family = netlink::find(families.payload, AF_INET6);
  auto& ipv6 = static_cast<Link&>(record).ipv6;
  if (family) {
    ipv6 = read_ipv6(family->payload);
  } else {
    ipv6 = std::make_unique<LinkIpv6>();
    ipv6->state = HostIpv6::closed;
  }
  return true;
}

// Kernels differ in the length of the struct; what they append is left out.
bool decode_statistics(Record& record, const netlink::Attribute& attribute) {
  rtnl_link_stats64 counters{};
  std::ranges::copy(attribute.payload.first(std::min(sizeof counters, attribute.payload.size())),
                    std::as_writable_bytes(std::span(&counters, 1)).begin());
  auto statistics = std::make_unique<LinkStatistics>();
  statistics->rx_packets = counters.rx_packets;
  statistics->tx_packets = counters.tx_packets;
  statistics->rx_bytes = counters.rx_bytes;
  statistics->tx_bytes = counters.tx_bytes;
  statistics->rx_errors = counters.rx_errors;
  statistics->tx_errors = counters.tx_errors;
  statistics->rx_dropped = counters.rx_dropped;
  statistics->tx_dropped = counters.tx_dropped;
  statistics->multicast = counters.multicast;
  statistics->collisions = counters.collisions;
  statistics->rx_no_handler = counters.rx_nohandler;
  static_cast<Link&>(record).statistics = std::move(statistics);
  return true;
}

// Not an attribute of its own: the alt name among the others that marks the links made here.
constexpr Field identity_field() {
  return {.name = "identity", .get = [](const Record& record) -> Value {
            const std::string_view identity = static_cast<const Link&>(record).identity();
            return identity.empty() ? Value{} : Value{identity};
          }};
}

constexpr std::array link_fields{
    field<&Link::kind>("kind", 0, write_only), field<&Link::index>("index", 0, settable),
    field<&Link::network_namespace>("namespace"), field<&Link::name>("name", IFLA_IFNAME, settable),
    // Reported with the identity among them.
    field<&Link::alt_names, AltNames>("altNames", IFLA_PROP_LIST, write_only), identity_field(),
    field<&Link::alias, BareText>("alias", IFLA_IFALIAS, settable),
    field<&Link::mac>("mac", IFLA_ADDRESS, settable),
    field<&Link::permanent_mac>("permanentMac", IFLA_PERM_ADDRESS),
    field<&Link::broadcast_mac>("broadcastMac", IFLA_BROADCAST),
    field<&Link::mtu>("mtu", IFLA_MTU, settable), field<&Link::min_mtu>("minMtu", IFLA_MIN_MTU),
    field<&Link::max_mtu>("maxMtu", IFLA_MAX_MTU),
    field<&Link::tx_queue_length>("txQueueLength", IFLA_TXQLEN, settable),
    field<&Link::tx_queues>("txQueues", IFLA_NUM_TX_QUEUES),
    field<&Link::rx_queues>("rxQueues", IFLA_NUM_RX_QUEUES),
    field<&Link::qdisc>("qdisc", IFLA_QDISC), field<&Link::group>("group", IFLA_GROUP),
    field<&Link::up>("up", 0, settable), field<&Link::promiscuous>("promiscuous", 0, settable),
    field<&Link::flags>("flags"), field<&Link::carrier>("carrier", IFLA_CARRIER),
    field<&Link::carrier_changes>("carrierChanges", IFLA_CARRIER_CHANGES),
    field<&Link::oper_state>("operState", IFLA_OPERSTATE),
    field<&Link::promiscuity>("promiscuity", IFLA_PROMISCUITY),
    field<&Link::all_multicast>("allMulticast", IFLA_ALLMULTI),
    field<&Link::parent>("parent", IFLA_LINK, settable),
    field<&Link::parent_namespace>("parentNamespace", IFLA_LINK_NETNSID, settable),
    field<&Link::master>("master", IFLA_MASTER, settable), field<&Link::port_kind>("portKind"),
    nested<&Link::details, details_of>("details"), nested<&Link::port, port_of>("port"),
    reported_as(nested<&Link::ipv6, ipv6_of>("ipv6"), IFLA_AF_SPEC, decode_ipv6),
    reported_as(nested<&Link::statistics, statistics_of>("statistics"), IFLA_STATS64,
                decode_statistics),
    superseded(IFLA_STATS),     // 32-bit counters
    superseded(IFLA_MAP),       // ISA-bus addresses
    superseded(IFLA_LINKINFO),  // what it holds depends on the kind: read_link
};

}  // namespace

std::unique_ptr<LinkIpv6> read_ipv6(netlink::Bytes attributes) {
  auto ipv6 = std::make_unique<LinkIpv6>();
  const auto settings = netlink::find(attributes, IFLA_INET6_CONF);
  const auto mode = netlink::find(attributes, IFLA_INET6_ADDR_GEN_MODE);
  const netlink::Bytes array = settings ? settings->payload : netlink::Bytes{};
  if (mode) ipv6->address_mode = mode->as<std::uint8_t>();
  const bool no_addresses = ipv6->address_mode == std::uint8_t{IN6_ADDR_GEN_MODE_NONE};
  ipv6->disabled = configuration(array, DEVCONF_DISABLE_IPV6) == 1;
  const HostIpv6 enabled = no_addresses ? HostIpv6::reduced : HostIpv6::open;
  ipv6->state = *ipv6->disabled ? HostIpv6::closed : enabled;
  ipv6->accept_ra = configuration(array, DEVCONF_ACCEPT_RA);
  if (auto forwarding = configuration(array, DEVCONF_FORWARDING)) {
    ipv6->forwarding = *forwarding != 0;
  }
  return ipv6;
}

constexpr Schema kIpv6Schema{"ipv6", ipv6_fields, make_record<LinkIpv6>};
constexpr Schema kLinkSchema{"link", link_fields, make_record<Link>};

bool Link::has_alt_name(std::string_view wanted) const {
  return alt_names && std::ranges::find(*alt_names, wanted) != alt_names->end();
}

bool is_identity(std::string_view alt_name) { return alt_name.starts_with(kIdentityPrefix); }

std::string_view Link::identity() const {
  if (!alt_names) return {};
  const auto found = std::ranges::find_if(*alt_names, is_identity);
  return found == alt_names->end() ? std::string_view() : std::string_view(*found);
}

}  // namespace flintap
