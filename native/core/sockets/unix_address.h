// An address of a unix socket, as the kernel takes it.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string_view>

namespace flintap {

class UnixAddress {
 public:
  // As sun_path has it; longer than that it is cut off. An abstract name, which begins with NUL,
  // has its length for an end, a path a NUL.
  explicit UnixAddress(std::string_view path);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&value_); }
  [[nodiscard]] socklen_t length() const { return length_; }

 private:
  sockaddr_un value_{};
  socklen_t length_ = 0;
};

}  // namespace flintap
