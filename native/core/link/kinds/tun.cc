#include "core/link/kinds/tun.h"

#include <linux/if_link.h>

#include <array>

#include "core/link/kind.h"
#include "core/schema/field.h"

namespace flintap {

using enum Access;

template <>
inline constexpr auto enum_names<TunType> = std::to_array<std::pair<TunType, std::string_view>>({
    {TunType::tun, "tun"},
    {TunType::tap, "tap"},
});

namespace {

constexpr std::array fields{
    field<&Tun::type>("type", IFLA_TUN_TYPE, settable),
    field<&Tun::uid>("uid", IFLA_TUN_OWNER, settable),
    field<&Tun::gid>("gid", IFLA_TUN_GROUP, settable),
    field<&Tun::packet_information>("packetInformation", IFLA_TUN_PI, settable),
    field<&Tun::vnet_header>("vnetHeader", IFLA_TUN_VNET_HDR, settable),
    // Set last of all, after the link was read back.
    field<&Tun::persistent>("persistent", IFLA_TUN_PERSIST, write_only),
    field<&Tun::multi_queue>("multiQueue", IFLA_TUN_MULTI_QUEUE, settable),
    field<&Tun::queues>("queues", IFLA_TUN_NUM_QUEUES, settable),
    field<&Tun::disabled_queues>("disabledQueues", IFLA_TUN_NUM_DISABLED_QUEUES),
};
constexpr Schema schema{"tun", fields, make_record<Tun>};

}  // namespace

namespace kinds {
extern const Kind tun{.name = "tun", .details = &schema, .port = nullptr};
}

}  // namespace flintap
