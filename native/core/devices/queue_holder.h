// Which process has a queue of a guest's device open, as /proc tells. A process that another user
// runs may not be looked into, so that nothing found is no proof.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/failure.h"

namespace flintap {

// That of a tap. Of several processes, one in that network namespace, then this one: the same name
// may be another tap's elsewhere, and a process's queue stays where its tap is. Nothing where none
// is found among as many descriptors as are looked at. Throws nothing.
std::optional<Holder> find_tap_holder(const std::string& tap,
                                      std::optional<std::int64_t> network_namespace);

// That of a macvtap, by its device number and by the name of the node that was opened: the number
// alone may be that of a deleted macvtap, whose queues stay open.
std::optional<Holder> find_macvtap_holder(dev_t device, const std::string& node);

}  // namespace flintap
