// macvtap: a MAC of its own on a parent, with a character device /dev/tap<index> for its guest.
#pragma once

#include <linux/if_link.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/schema/shape.h"

namespace flintap {

enum class MacvtapMode : std::uint32_t {
  private_mode = MACVLAN_MODE_PRIVATE,
  vepa = MACVLAN_MODE_VEPA,
  bridge = MACVLAN_MODE_BRIDGE,
  passthru = MACVLAN_MODE_PASSTHRU,
  source = MACVLAN_MODE_SOURCE,
};

template <>
inline constexpr auto enum_names<MacvtapMode> =
    std::to_array<std::pair<MacvtapMode, std::string_view>>({
        {MacvtapMode::private_mode, "private"},
        {MacvtapMode::vepa, "vepa"},
        {MacvtapMode::bridge, "bridge"},
        {MacvtapMode::passthru, "passthru"},
        {MacvtapMode::source, "source"},
    });

struct Macvtap : Record {
  std::optional<MacvtapMode> mode;
  std::optional<std::uint16_t> flags;
  std::optional<std::vector<std::string>> source_macs;
};

}  // namespace flintap
