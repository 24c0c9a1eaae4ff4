#include "core/netlink/event_socket.h"

#include <sys/socket.h>

#include <cerrno>

#include "core/failure.h"
#include "core/system/system.h"

namespace flintap::netlink {

EventSocket::EventSocket(std::span<const int> groups, int receive_buffer)
    : fd_(sys::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)), buffer_(32U << 10U) {
  if (!fd_.valid()) throw Failure::of_errno("open a netlink socket");
  // SO_RCVBUFFORCE needs CAP_NET_ADMIN in the initial user namespace.
  if (sys::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer) < 0 &&
      sys::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer) < 0) {
    throw Failure::of_errno("size the receive buffer");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (sys::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    throw Failure::of_errno("bind the netlink socket");
  }
  for (const int group : groups) {
    if (sys::setsockopt(fd_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group) < 0) {
      throw Failure::of_errno("listen to link events");
    }
  }
}

EventSocket::Reading EventSocket::read() {
  for (;;) {
    const ssize_t waiting = sys::peek_length(fd_.get(), MSG_DONTWAIT);
    if (waiting > static_cast<ssize_t>(buffer_.size())) {
      buffer_.resize(static_cast<std::size_t>(waiting));
    }
    sockaddr_nl sender{};
    iovec part{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t length = waiting < 0 ? waiting : sys::recvmsg(fd_.get(), message, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) return {};
    if (length < 0 && errno == ENOBUFS) return {.datagram = std::nullopt, .overrun = true};
    if (length < 0) throw Failure::of_errno("read a link event");
    if (sender.nl_pid != 0) continue;  // another process wrote to this port
    return {.datagram = Bytes(buffer_).first(static_cast<std::size_t>(length))};
  }
}

}  // namespace flintap::netlink
