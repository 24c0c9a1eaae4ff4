// A pair of links; what goes into one end comes out of the other.
#pragma once

#include <memory>

#include "core/link/link.h"

namespace flintap {

struct Veth : Record {
  std::unique_ptr<Link> peer;
};

}  // namespace flintap
