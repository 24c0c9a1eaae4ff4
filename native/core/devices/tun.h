// Taps through /dev/net/tun: rtnetlink refuses to make one ("tun/tap creation via rtnetlink is not
// supported"). The node attaches to the network namespace of the thread that opens it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/system/fd.h"

namespace flintap::tun {

// Creator and VMM must agree on these, or the VMM's TUNSETIFF is EINVAL.
struct QueueFlags {
  bool multi_queue = false;
  bool vnet_header = false;
  bool packet_information = false;
};

struct TapSettings {
  std::string name;
  std::optional<std::uint32_t> index;
  QueueFlags flags;
  // Without a carrier (Linux 6.1; older ones ignore it) until a VMM opens it, so that its bridge
  // port does not forward for the moment in which the tap is made.
  bool carrier = true;
  std::optional<std::uint32_t> vnet_header_size;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

// Makes a tap and opens its first queue. The tap dies with that queue until make_persistent.
// Failure EEXIST: the name or the index is taken (the kernel says EBUSY for both).
Fd create(const TapSettings& tap);

// Opens a queue of an existing tap. The kernel would *make* a tap of a name that is free: whoever
// calls checks afterwards that the link is the one meant, and closes the queue if it is not.
Fd open_queue(const std::string& name, const QueueFlags& flags);

void make_persistent(const Fd& queue, const std::string& name);

}  // namespace flintap::tun
