#include <algorithm>
#include <array>

#include "core/link/kind.h"

namespace flintap {
namespace kinds {
extern const Kind bridge, macvtap, tun, veth;
}

namespace {
constexpr std::array registry{&kinds::bridge, &kinds::macvtap, &kinds::tun, &kinds::veth};
}

const Kind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(registry, name, &Kind::name);
  return found == registry.end() ? nullptr : *found;
}

}  // namespace flintap
