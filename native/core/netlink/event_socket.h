// A NETLINK_ROUTE socket that only listens to multicast groups.
//
// Lives on the thread that opened it and stays in that thread's network namespace.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/netlink/message.h"
#include "core/system/fd.h"

namespace flintap::netlink {

class EventSocket {
 public:
  // `receive_buffer` in bytes, as far as the kernel allows. Throws Failure.
  EventSocket(std::span<const int> groups, int receive_buffer);

  // To poll on.
  [[nodiscard]] int descriptor() const { return fd_.get(); }

  struct Reading {
    std::optional<Bytes> datagram;  // valid until the next read; nothing when there is none now
    bool overrun = false;           // the kernel dropped events before this one
  };
  // Does not wait. Throws Failure.
  Reading read();

 private:
  Fd fd_;
  std::vector<std::byte> buffer_;
};

}  // namespace flintap::netlink
