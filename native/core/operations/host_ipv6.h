// Keeping the host's own IPv6 off a guest's device: what is written, and what must be read back.
#pragma once

#include <string>
#include <string_view>

#include "core/link/link.h"

namespace flintap {

// Before the link goes up, by a thread in its namespace: afterwards a router advertisement could
// come first. Gives an errno, or 0; only reading back tells whether it matters.
int write_host_ipv6(const std::string& name, HostIpv6 wanted);

// What the link has, as far as the kernel says anything of it.
HostIpv6 host_ipv6_of(const Link& link);

// Closed is as good as reduced, and where it is open nothing was asked for.
bool host_ipv6_is(HostIpv6 wanted, const Link& link);

// Throws Failure "proc-sys-read-only" or "setting-ignored" when it is not as wanted; `written` is
// what write_host_ipv6 gave.
void require_host_ipv6(HostIpv6 wanted, const Link& link, int written, std::string_view device);

}  // namespace flintap
