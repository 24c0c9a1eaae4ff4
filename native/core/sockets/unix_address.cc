#include "core/sockets/unix_address.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace flintap {

UnixAddress::UnixAddress(std::string_view path) {
  value_.sun_family = AF_UNIX;
  const std::size_t length = std::min(path.size(), sizeof value_.sun_path);
  std::copy_n(path.begin(), length, std::begin(value_.sun_path));
  const bool abstract = length > 0 && path.front() == '\0';
  const std::size_t whole = offsetof(sockaddr_un, sun_path) + length + (abstract ? 0 : 1);
  length_ = static_cast<socklen_t>(std::min(whole, sizeof value_));
}

}  // namespace flintap
