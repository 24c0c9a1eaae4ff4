// The character device through which a guest reads and writes its macvtap.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/devices/sysfs.h"
#include "core/link/link.h"
#include "core/system/fd.h"

namespace flintap::macvtap {

// What its node is called: by the kernel in /dev, and here where a private one is made.
std::string node_name(const Link& link);

// The number by which the kernel knows its queues. Throws Failure.
dev_t device_number(const Link& link, Sysfs& sysfs);

// Opens a queue of the link's device number: /dev/tap<index> where it is this link's node, else a
// node of our own that nobody else sees. /dev is not per namespace: /dev/tap<index> may be another
// guest's. Numbers are reused at once: whoever calls looks afterwards whether the link still lives.
//
// Every open is one more queue, over which traffic is spread. A second one in this process is
// refused unless `additional`; opens of other processes can't be seen.
//
// Throws Failure; leaves no node and no descriptor.
Fd open_queue(const Link& link, Sysfs& sysfs, bool additional);

}  // namespace flintap::macvtap
