// One deletion in the kernel, of one link or of a group: settled by its events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

#include "core/operations/operation.h"

namespace flintap {

using Indexes = std::unordered_set<std::uint32_t>;

struct Removal {
  std::optional<Failure> failure;  // by which the kernel refused, or its answer was lost
  // Whether a link that is left was not deleted by this: else its event may have been lost.
  bool told_all = false;
};

// Has `sender`, which is idle, send the request, and takes those links out of `waiting` of which
// the kernel tells that they are deleted. Over when there is none left, since the kernel has let go
// of its lock by then; what the sender hears after that is reported late. Else it ends with the
// kernel's answer. `label` is what a failure calls the links.
Removal remove_links(Context& context, Sender& sender, netlink::Request request, std::string label,
                     Indexes& waiting);

}  // namespace flintap
