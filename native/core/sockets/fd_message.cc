#include "core/sockets/fd_message.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/failure.h"
#include "core/system/system.h"

namespace flintap {
namespace {

struct alignas(cmsghdr) Control {
  std::array<std::byte, CMSG_SPACE(kMostDescriptors * sizeof(int))> bytes{};
};

Failure failure_of_socket(std::string_view step) {
  const int error = errno;
  if (error == EPIPE || error == ECONNRESET) return {error, reason::peer_closed, step};
  // EMFILE is not said for what is received: the kernel cuts the descriptors off instead.
  if (error == ETOOMANYREFS) return {error, reason::too_many_descriptors, step};
  return {error, reason::kernel, step};
}

void put_descriptors(msghdr& message, Control& control, std::span<const int> descriptors) {
  if (descriptors.empty()) return;
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

std::vector<Fd> take_descriptors(msghdr& message) {
  std::vector<Fd> taken;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t at = 0; at < count; ++at) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + at * sizeof(int), sizeof number);
      taken.emplace_back(number);
    }
  }
  return taken;
}

// How many bytes to ask for: what is there, and where that is nothing, or more comes meanwhile, not
// less than this.
std::size_t room_for(int socket, std::size_t max_bytes) {
  constexpr std::size_t kLeast = 4'096;
  int unread = 0;
  if (sys::ioctl(socket, FIONREAD, &unread) < 0) throw failure_of_socket("receive");
  return std::min(max_bytes, std::max(kLeast, static_cast<std::size_t>(unread)));
}

}  // namespace

std::optional<std::size_t> send_some(int socket, std::span<const std::byte> bytes,
                                     std::span<const int> descriptors) {
  Control control;
  // sendmsg does not write to it.
  iovec part{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  put_descriptors(message, control, descriptors);
  const ssize_t sent = sys::sendmsg(socket, message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN) return std::nullopt;
  throw failure_of_socket("send");
}

std::optional<FdMessage> receive_some(int socket, std::size_t max_bytes,
                                      std::size_t max_descriptors) {
  FdMessage received;
  received.bytes.resize(room_for(socket, max_bytes));
  Control control;
  iovec part{.iov_base = received.bytes.data(), .iov_len = received.bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (max_descriptors > 0) {
    message.msg_control = control.bytes.data();
    // Without padding: the kernel would use it for one more.
    message.msg_controllen = CMSG_LEN(std::min(max_descriptors, kMostDescriptors) * sizeof(int));
  }
  const ssize_t length = sys::recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0 && errno == EAGAIN) return std::nullopt;
  if (length < 0) throw failure_of_socket("receive");
  received.bytes.resize(static_cast<std::size_t>(length));
  received.descriptors = take_descriptors(message);
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    throw Failure(0, reason::too_many_descriptors, "receive");
  }
  return received;
}

}  // namespace flintap
