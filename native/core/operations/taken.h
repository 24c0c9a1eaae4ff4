// Why the kernel said EEXIST: one and the same for a name, an alt name and an index.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/failure.h"
#include "core/operations/operation.h"

namespace flintap {

struct Taken {
  std::string_view reason;  // "name-taken", "alt-name-taken" or "index-taken"
  std::string name;         // which of the names; empty for the index
  Holder holder;

  // Says so in a failure.
  void explain(Failure& failure) const;
};

// Which of the names and the index that `wanted` has somebody else has; nothing when none is taken
// any more, or it can't be told. The link with the identity `own` is nobody else.
std::optional<Taken> what_is_taken(Context& context, const Link& wanted, std::string_view own = {});

}  // namespace flintap
