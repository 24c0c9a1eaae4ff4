// bridge: its own settings, and those of its ports.
#include <linux/if_link.h>

#include <array>

#include "core/link/kind.h"
#include "core/schema/field.h"

namespace flintap {

using enum Access;

namespace {

struct Bridge : Record {
  std::optional<std::uint32_t> forward_delay;  // hundredths of a second
  std::optional<std::uint32_t> ageing_time;    // hundredths of a second
  std::optional<bool> stp;
  std::optional<std::uint16_t> priority;
  std::optional<bool> vlan_filtering;
  std::optional<bool> mcast_snooping;
};

// The kernel keeps these in ticks of its own (250 a second, mostly) and rounds down.
constexpr Field in_ticks(Field row) {
  row.slack = 1;
  return row;
}

constexpr std::array fields{
    in_ticks(field<&Bridge::forward_delay>("forwardDelay", IFLA_BR_FORWARD_DELAY, settable)),
    in_ticks(field<&Bridge::ageing_time>("ageingTime", IFLA_BR_AGEING_TIME, settable)),
    field<&Bridge::stp, WideBool>("stp", IFLA_BR_STP_STATE, settable),
    field<&Bridge::priority>("priority", IFLA_BR_PRIORITY, settable),
    field<&Bridge::vlan_filtering>("vlanFiltering", IFLA_BR_VLAN_FILTERING, settable),
    field<&Bridge::mcast_snooping>("mcastSnooping", IFLA_BR_MCAST_SNOOPING, settable),
};
constexpr Schema schema{"bridge", fields, make_record<Bridge>};

struct BridgePort : Record {
  std::optional<std::uint8_t> state;  // BR_STATE_*
  std::optional<std::uint16_t> number;
  std::optional<std::uint16_t> priority;
  std::optional<std::uint32_t> cost;
  std::optional<bool> isolated;
  std::optional<bool> hairpin;
  std::optional<bool> learning;
  std::optional<bool> flood;
  std::optional<bool> mcast_flood;
  std::optional<bool> bcast_flood;
  std::optional<bool> neigh_suppress;
  std::optional<bool> guard;
  std::optional<bool> root_block;
  std::optional<bool> fast_leave;
  std::optional<bool> proxy_arp;
  std::optional<bool> proxy_arp_wifi;
  std::optional<bool> mcast_to_unicast;
  std::optional<std::uint8_t> mcast_router;  // MDB_RTR_TYPE_*
  std::optional<bool> vlan_tunnel;
  std::optional<std::uint16_t> group_forward_mask;
  std::optional<bool> locked;
};

constexpr std::array port_fields{
    field<&BridgePort::state>("state", IFLA_BRPORT_STATE),
    field<&BridgePort::number>("number", IFLA_BRPORT_NO),
    field<&BridgePort::priority>("priority", IFLA_BRPORT_PRIORITY, settable),
    field<&BridgePort::cost>("cost", IFLA_BRPORT_COST, settable),
    field<&BridgePort::isolated>("isolated", IFLA_BRPORT_ISOLATED, settable),
    field<&BridgePort::hairpin>("hairpin", IFLA_BRPORT_MODE, settable),
    field<&BridgePort::learning>("learning", IFLA_BRPORT_LEARNING, settable),
    field<&BridgePort::flood>("flood", IFLA_BRPORT_UNICAST_FLOOD, settable),
    field<&BridgePort::mcast_flood>("mcastFlood", IFLA_BRPORT_MCAST_FLOOD, settable),
    field<&BridgePort::bcast_flood>("bcastFlood", IFLA_BRPORT_BCAST_FLOOD, settable),
    field<&BridgePort::neigh_suppress>("neighSuppress", IFLA_BRPORT_NEIGH_SUPPRESS, settable),
    field<&BridgePort::guard>("guard", IFLA_BRPORT_GUARD, settable),
    field<&BridgePort::root_block>("rootBlock", IFLA_BRPORT_PROTECT, settable),
    field<&BridgePort::fast_leave>("fastLeave", IFLA_BRPORT_FAST_LEAVE, settable),
    field<&BridgePort::proxy_arp>("proxyArp", IFLA_BRPORT_PROXYARP, settable),
    field<&BridgePort::proxy_arp_wifi>("proxyArpWifi", IFLA_BRPORT_PROXYARP_WIFI, settable),
    field<&BridgePort::mcast_to_unicast>("mcastToUnicast", IFLA_BRPORT_MCAST_TO_UCAST, settable),
    field<&BridgePort::mcast_router>("mcastRouter", IFLA_BRPORT_MULTICAST_ROUTER, settable),
    field<&BridgePort::vlan_tunnel>("vlanTunnel", IFLA_BRPORT_VLAN_TUNNEL, settable),
    field<&BridgePort::group_forward_mask>("groupForwardMask", IFLA_BRPORT_GROUP_FWD_MASK,
                                           settable),
    field<&BridgePort::locked>("locked", IFLA_BRPORT_LOCKED, settable),
};
constexpr Schema port_schema{"bridge port", port_fields, make_record<BridgePort>};

}  // namespace

namespace kinds {
extern const Kind bridge{.name = "bridge", .details = &schema, .port = &port_schema};
}

}  // namespace flintap
