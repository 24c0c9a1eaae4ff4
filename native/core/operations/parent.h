// What can be a macvtap's parent.
#pragma once

#include <string_view>

#include "core/operations/operation.h"

namespace flintap {

// Whether a wireless parent will do: it does for a macvtap with the parent's own MAC.
enum class Wireless : bool { refused, taken };

// Throws Failure "parent-unusable" or "parent-wireless" about `device`.
void require_parent(Context& context, const Link& parent, Wireless wireless,
                    std::string_view device);

}  // namespace flintap
