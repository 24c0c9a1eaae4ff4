// What a failure says beyond its errno. It is looked up only when something has failed, so what
// succeeds pays nothing for it; and where the look-up fails as well, the failure stays as it was.
#pragma once

#include "core/operations/transact.h"

namespace flintap {

// For a failure of createMacvtap or setLink about a MAC: where it was to be.
struct MacPlace {
  std::uint32_t parent = 0;  // its index
  std::uint32_t own = 0;     // the index of the link that was to have it
  const HardwareAddress& mac;
};

// "no-such-bridge", "no-such-parent": those that there are.
void name_existing(Context& context, Failure& failure);

// "duplicate-mac": the link that has it, be it the parent itself.
void name_mac_holder(Context& context, const MacPlace& place, Failure& failure);

// "tap-held": the process that has it.
void name_holding_process(Context& context, const std::string& tap, Failure& failure);

// Runs `work`; where it fails for want of a bridge or a parent, those that there are get named.
template <class Work>
auto naming_existing(Context& context, Work work) {
  try {
    return work();
  } catch (Failure& failure) {
    name_existing(context, failure);
    throw;
  }
}

// Runs `work`, which is about a device on that parent or bridge.
template <class Work>
auto on_link(const Link& link, Work work) {
  try {
    return work();
  } catch (Failure& failure) {
    failure.on = link.name.value_or("");
    throw;
  }
}

}  // namespace flintap
