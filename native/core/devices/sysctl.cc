#include "core/devices/sysctl.h"

#include <fcntl.h>

#include <cerrno>

#include "core/system/system.h"

namespace flintap {

int write_ipv6_setting(const std::string& link_name, const char* setting, bool value) {
  const std::string path = "/proc/sys/net/ipv6/conf/" + link_name + "/" + setting;
  const Fd file = sys::open(path.c_str(), O_WRONLY);
  if (!file.valid()) return errno;
  const std::string text = value ? "1" : "0";
  return sys::write(file.get(), std::as_bytes(std::span(text))) < 0 ? errno : 0;
}

bool is_ipv6_disabled_by_default() {
  constexpr const char* kPath = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  return sys::read_small_file(AT_FDCWD, kPath) == "1";
}

}  // namespace flintap
