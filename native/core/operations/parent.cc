#include "core/operations/parent.h"

#include <linux/if.h>

#include "core/failure.h"

namespace flintap {

bool carries_ethernet(const Link& parent) {
  return parent.mac && parent.mac->is_ethernet() && (parent.flags.value_or(0) & IFF_LOOPBACK) == 0;
}

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
