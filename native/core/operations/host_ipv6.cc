#include "core/operations/host_ipv6.h"

#include <cerrno>

#include "core/devices/sysctl.h"
#include "core/failure.h"
#include "core/operations/transact.h"

namespace flintap {

int write_host_ipv6(const std::string& name, HostIpv6 wanted) {
  return wanted == HostIpv6::closed ? write_ipv6_setting(name, "disable_ipv6", true) : 0;
}

HostIpv6 host_ipv6_of(const Link& link) {
  return link.ipv6 ? link.ipv6->state.value_or(HostIpv6::open) : HostIpv6::open;
}

bool host_ipv6_is(HostIpv6 wanted, const Link& link) {
  if (wanted == HostIpv6::open) return true;
  if (!link.ipv6) return false;
  const HostIpv6 state = host_ipv6_of(link);
  return state == HostIpv6::closed || state == wanted;
}

void require_host_ipv6(HostIpv6 wanted, const Link& link, int written, std::string_view device) {
  if (host_ipv6_is(wanted, link)) return;
  constexpr std::string_view step = "close the host's IPv6";
  if (written == EROFS || written == EACCES || written == EPERM) {
    throw Failure(written, reason::proc_sys_read_only, step, device);
  }
  if (written != 0) throw Failure(written, reason::kernel, step, device);
  throw ignored({.field = "hostIPv6", .expected = "as asked", .actual = "open"}, device);
}

}  // namespace flintap
