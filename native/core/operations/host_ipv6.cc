#include "core/operations/host_ipv6.h"

#include <linux/if_link.h>

#include <cerrno>

#include "core/devices/sysctl.h"
#include "core/failure.h"
#include "core/operations/transact.h"

namespace flintap {
namespace {

constexpr std::string_view kClose = "close the host's IPv6";
constexpr std::string_view kOpen = "open the host's IPv6";

bool is_forbidden(int error) { return error == EROFS || error == EACCES || error == EPERM; }

// A link without IPv6 has no settings, but the defaults are always there.
bool is_hidden(int error) { return error == ENOENT && try_ipv6_settings() == ENOENT; }

Failure not_written(int error, std::string_view step, std::string_view device) {
  const bool cannot = is_forbidden(error) || is_hidden(error);
  return {error, cannot ? reason::proc_sys_read_only : reason::kernel, step, device};
}

// A write of the mode makes the link-local address that belongs to it, if the link is up; the
// request works where /proc/sys is read-only, and makes none.
void set_address_mode(Context& context, const Link& now, std::uint8_t mode, bool& changed) {
  const bool makes_address = mode != IN6_ADDR_GEN_MODE_NONE;
  if (makes_address && write_ipv6_setting(*now.name, "addr_gen_mode", mode) == 0) {
    changed = true;
    return;
  }
  const netlink::Request request =
      requests::set_ipv6_addresses(acting_reference(now), "set the IPv6 address mode", mode);
  try {
    transact(context, {&request, 1}, *now.name);
    changed = true;
  } catch (const Failure& failure) {
    if (failure.reason == reason::outcome_unknown) changed = true;
    throw;
  }
}

}  // namespace

int write_host_ipv6(const std::string& name, HostIpv6 wanted) {
  return wanted == HostIpv6::closed ? write_ipv6_setting(name, "disable_ipv6", 1) : 0;
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
  if (written != 0) throw not_written(written, kClose, device);
  throw ignored({.field = "hostIPv6", .expected = "as asked", .actual = "open"}, device);
}

bool Ipv6Settings::closes() const {
  return disabled == true || address_mode == std::uint8_t{IN6_ADDR_GEN_MODE_NONE};
}

bool has_ipv6(const Link& link) { return link.ipv6 && link.ipv6->disabled; }

Ipv6Settings ipv6_settings_for(HostIpv6 wanted, const Link& now) {
  constexpr std::uint8_t kNone = IN6_ADDR_GEN_MODE_NONE;
  if (wanted == HostIpv6::closed) return {.disabled = true, .address_mode = {}, .accept_ra = {}};
  Ipv6Settings settings{.disabled = false, .address_mode = {}, .accept_ra = {}};
  if (wanted == HostIpv6::reduced) {
    settings.address_mode = kNone;
  } else if (now.ipv6 && now.ipv6->address_mode == kNone) {
    const std::uint8_t by_default = default_ipv6_address_mode().value_or(kNone);
    settings.address_mode =
        by_default == kNone ? std::uint8_t{IN6_ADDR_GEN_MODE_EUI64} : by_default;
  }
  return settings;
}

Ipv6Settings ipv6_settings_of(const Link& link) {
  if (!has_ipv6(link)) return {};
  return {.disabled = link.ipv6->disabled,
          .address_mode = link.ipv6->address_mode,
          .accept_ra = link.ipv6->accept_ra};
}

bool has_ipv6_settings(const Link& link, const Ipv6Settings& settings) {
  const Ipv6Settings now = ipv6_settings_of(link);
  return (!settings.disabled || settings.disabled == now.disabled) &&
         (!settings.address_mode || settings.address_mode == now.address_mode) &&
         (!settings.accept_ra || settings.accept_ra == now.accept_ra);
}

void set_host_ipv6(Context& context, const Link& now, const Ipv6Settings& wanted, bool& changed) {
  const Ipv6Settings there = ipv6_settings_of(now);
  const auto write = [&](const char* setting, int value, std::string_view step) {
    const int error = write_ipv6_setting(*now.name, setting, value);
    if (error != 0) throw not_written(error, step, *now.name);
    changed = true;
  };
  const bool switches = wanted.disabled && wanted.disabled != there.disabled;
  if (switches && *wanted.disabled) write("disable_ipv6", 1, kClose);
  if (wanted.accept_ra && wanted.accept_ra != there.accept_ra) {
    write("accept_ra", *wanted.accept_ra, "set accept_ra");
  }
  if (wanted.address_mode && wanted.address_mode != there.address_mode) {
    set_address_mode(context, now, *wanted.address_mode, changed);
  }
  if (switches && !*wanted.disabled) write("disable_ipv6", 0, kOpen);
}

void require_closable_ipv6(std::string_view device) {
  const int error = try_ipv6_settings();
  if (is_forbidden(error) && !is_ipv6_disabled_by_default())
    throw not_written(error, kClose, device);
}

}  // namespace flintap
