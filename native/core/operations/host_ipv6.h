// Keeping the host's own IPv6 off a guest's device: what is written, and what must be read back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/link/link.h"
#include "core/operations/operation.h"

namespace flintap {

// Below it, the kernel takes a link's IPv6 away with all its settings, and makes it anew, open,
// when the MTU is raised again.
inline constexpr std::uint32_t kLeastIpv6Mtu = 1280;

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

// ---- changing it on a link that is there ----

// The settings behind the one word. Those that are not set stay as they are.
struct Ipv6Settings {
  std::optional<bool> disabled;
  std::optional<std::uint8_t> address_mode;  // IN6_ADDR_GEN_MODE_*
  std::optional<std::int32_t> accept_ra;

  // Whether a link that is up before they are written could hear what it must not.
  [[nodiscard]] bool closes() const;
};

// Nothing can be opened where there is none: an MTU below 1,280, or a kernel without it.
bool has_ipv6(const Link& link);

// What has to be written on a link that is as `now`.
Ipv6Settings ipv6_settings_for(HostIpv6 wanted, const Link& now);

// What a link has, to be put back.
Ipv6Settings ipv6_settings_of(const Link& link);

bool has_ipv6_settings(const Link& link, const Ipv6Settings& settings);

// Writes those that are not so, in an order in which nothing is open in between. Throws Failure;
// `changed` becomes true when anything may have been written.
void set_host_ipv6(Context& context, const Link& now, const Ipv6Settings& wanted, bool& changed);

// Throws Failure "proc-sys-read-only" where a link could not be closed, before anything is done.
void require_closable_ipv6(std::string_view device);

}  // namespace flintap
