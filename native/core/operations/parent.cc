#include "core/operations/parent.h"

#include "core/failure.h"

namespace flintap {

void require_parent(Context& context, const Link& parent, Wireless wireless,
                    std::string_view device) {
  // The kernel would take the link below that one instead, without a word.
  if (parent.kind == "macvtap" || parent.kind == "macvlan") {
    throw Failure(0, reason::parent_unusable, "look up", device);
  }
  if (wireless == Wireless::refused && context.wireless_parents.has(parent)) {
    throw Failure(0, reason::parent_wireless, "look up", device);
  }
}

}  // namespace flintap
