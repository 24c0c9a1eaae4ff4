// The IPv6 settings of one link that rtnetlink can't write: /proc/sys/net/ipv6/conf/<name>/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace flintap {

// Writes a number, 0 or 1 for most. Returns 0 or an errno: ENOENT where the link has no IPv6 or
// /proc/sys is hidden, EROFS where that is read-only, as in most containers. /proc/sys/net is that
// of the calling thread's namespace.
int write_ipv6_setting(const std::string& link_name, const char* setting, int value);

// Whether such a setting may be written: 0 or an errno. Changes nothing.
int try_ipv6_settings();

// How the addresses of new links are made (IN6_ADDR_GEN_MODE_*); nothing where that can't be told.
std::optional<std::uint8_t> default_ipv6_address_mode();

// Whether new links have no IPv6 in the thread's namespace; false also where that can't be told.
bool is_ipv6_disabled_by_default();

}  // namespace flintap
