#include "core/devices/sysctl.h"

#include <fcntl.h>

#include <cerrno>

#include "core/system/system.h"

namespace flintap {
namespace {

constexpr const char* kDisabledByDefault = "/proc/sys/net/ipv6/conf/default/disable_ipv6";

}  // namespace

int write_ipv6_setting(const std::string& link_name, const char* setting, int value) {
  const std::string path = "/proc/sys/net/ipv6/conf/" + link_name + "/" + setting;
  const Fd file = sys::open(path.c_str(), O_WRONLY);
  if (!file.valid()) return errno;
  const std::string text = std::to_string(value);
  return sys::write(file.get(), std::as_bytes(std::span(text))) < 0 ? errno : 0;
}

int try_ipv6_settings() { return sys::open(kDisabledByDefault, O_WRONLY).valid() ? 0 : errno; }

std::optional<std::uint8_t> default_ipv6_address_mode() {
  const auto text = sys::read_small_file(AT_FDCWD, "/proc/sys/net/ipv6/conf/default/addr_gen_mode");
  if (!text || text->size() != 1 || text->front() < '0' || text->front() > '9') return {};
  return static_cast<std::uint8_t>(text->front() - '0');
}

bool is_ipv6_disabled_by_default() {
  return sys::read_small_file(AT_FDCWD, kDisabledByDefault) == "1";
}

}  // namespace flintap
