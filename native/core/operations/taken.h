// Why the kernel said EEXIST: one and the same for a name, an alt name and an index.
#pragma once

#include <optional>
#include <string_view>

#include "core/operations/operation.h"

namespace flintap {

// Which of the names and the index that `wanted` has somebody else has: "name-taken",
// "alt-name-taken" or "index-taken"; nothing when none is taken any more, or it can't be told.
std::optional<std::string_view> what_is_taken(Context& context, const Link& wanted);

}  // namespace flintap
