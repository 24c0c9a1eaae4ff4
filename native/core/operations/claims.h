// Which calls of a create can be made together: those of which none depends on what becomes of an
// earlier one.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/operations/creation.h"

namespace flintap {

bool has_chosen_index(const Creation& creation);

// How many of the first go together; one at least.
std::size_t independent(std::span<const std::unique_ptr<Creation>> creations);

}  // namespace flintap
