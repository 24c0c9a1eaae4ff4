// Which process has a queue of a tap open, as /proc tells: for the words of a failure, not to build
// on. A process that another user runs may not be looked into.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/failure.h"

namespace flintap::tun {

// Of several processes, one in that network namespace, then this one: the same name may be another
// tap's elsewhere, and a process's queue stays where its tap is. Nothing where none is found among
// as many descriptors as are looked at. Throws nothing.
std::optional<Holder> find_holder(const std::string& tap,
                                  std::optional<std::int64_t> network_namespace);

}  // namespace flintap::tun
