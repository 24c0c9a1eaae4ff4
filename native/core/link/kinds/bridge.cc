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

constexpr std::array fields{
    field<&Bridge::forward_delay>("forwardDelay", IFLA_BR_FORWARD_DELAY, settable),
    field<&Bridge::ageing_time>("ageingTime", IFLA_BR_AGEING_TIME, settable),
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
};

constexpr std::array port_fields{
    field<&BridgePort::state>("state", IFLA_BRPORT_STATE),
    field<&BridgePort::number>("number", IFLA_BRPORT_NO),
    field<&BridgePort::priority>("priority", IFLA_BRPORT_PRIORITY),
    field<&BridgePort::cost>("cost", IFLA_BRPORT_COST),
    field<&BridgePort::isolated>("isolated", IFLA_BRPORT_ISOLATED, settable),
    field<&BridgePort::hairpin>("hairpin", IFLA_BRPORT_MODE, settable),
    field<&BridgePort::learning>("learning", IFLA_BRPORT_LEARNING, settable),
    field<&BridgePort::flood>("flood", IFLA_BRPORT_UNICAST_FLOOD, settable),
    field<&BridgePort::mcast_flood>("mcastFlood", IFLA_BRPORT_MCAST_FLOOD, settable),
    field<&BridgePort::bcast_flood>("bcastFlood", IFLA_BRPORT_BCAST_FLOOD, settable),
    field<&BridgePort::neigh_suppress>("neighSuppress", IFLA_BRPORT_NEIGH_SUPPRESS, settable),
};
constexpr Schema port_schema{"bridge port", port_fields, make_record<BridgePort>};

}  // namespace

namespace kinds {
extern const Kind bridge{.name = "bridge", .details = &schema, .port = &port_schema};
}

}  // namespace flintap
