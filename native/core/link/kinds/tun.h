// What the kernel says of a tap. rtnetlink can't make or change one: see devices/tun.h.
#pragma once

#include <cstdint>
#include <optional>

#include "core/schema/record.h"

namespace flintap {

enum class TunType : std::uint8_t { tun = 1, tap = 2 };  // IFF_TUN, IFF_TAP

struct Tun : Record {
  std::optional<TunType> type;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<bool> packet_information;
  std::optional<bool> vnet_header;
  std::optional<bool> persistent;
  std::optional<bool> multi_queue;
  std::optional<std::uint32_t> queues;
  std::optional<std::uint32_t> disabled_queues;
};

}  // namespace flintap
