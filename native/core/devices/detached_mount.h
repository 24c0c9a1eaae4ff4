// File systems that are mounted nowhere (fsopen, Linux 5.2): they are seen through their descriptor
// only and vanish with it, also when the process is killed.
#pragma once

#include "core/system/fd.h"

namespace flintap {

// Not valid, with errno set, where that is not allowed: it takes CAP_SYS_ADMIN in the user
// namespace of the mount namespace. "sysfs" shows the network namespace of the calling thread.
Fd detached_mount(const char* type);

}  // namespace flintap
