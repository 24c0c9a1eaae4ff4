#include "core/netlink/socket.h"

#include <linux/rtnetlink.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/failure.h"
#include "core/system/system.h"

namespace flintap::netlink {
namespace {

constexpr int kReceiveBuffer = 4 << 20;
// How many datagrams are read by one call: every ack is one.
constexpr std::size_t kDatagrams = 16;
// A send above the socket's send buffer (212,992 bytes by default) is EMSGSIZE.
constexpr std::size_t kLargestSend = 64 << 10;
constexpr int kDumpTries = 16;
// Nothing waits this long: the answers are there when send() returns. It bounds a kernel's fault.
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};

}  // namespace

// Which of the sent requests still wait for their ack.
struct Socket::Pending {
  std::span<Ack> acks;
  std::uint32_t first_sequence;
  std::size_t first;
  std::size_t waiting;
  std::vector<bool> answered;
  bool is_dump = false;
  bool interrupted = false;
};

Socket::Socket(std::size_t longest) : fd_(sys::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)) {
  make_room(longest);
  if (!fd_.valid()) throw Failure::of_errno("open a netlink socket");
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (sys::setsockopt(fd_.get(), SOL_NETLINK, option, 1) < 0) {
      throw Failure::of_errno("set a netlink option");
    }
  }
  if (sys::set_receive_timeout(fd_.get(), kPatience) < 0) {
    throw Failure::of_errno("set the receive timeout");
  }
  enlarge_receive_buffer();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (sys::bind(fd_.get(), generic, length) < 0 ||
      sys::getsockname(fd_.get(), generic, length) < 0) {
    throw Failure::of_errno("bind the netlink socket");
  }
  port_ = address.nl_pid;
}

// SO_RCVBUFFORCE needs CAP_NET_ADMIN in the initial user namespace; without it the kernel's limit
// holds (net.core.rmem_max). getsockopt tells what it became: twice the value asked for.
void Socket::enlarge_receive_buffer() {
  if (sys::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer) < 0 &&
      sys::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer) < 0) {
    throw Failure::of_errno("enlarge the receive buffer");
  }
  int size = 0;
  if (sys::getsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, size) < 0) {
    throw Failure::of_errno("read the size of the receive buffer");
  }
  receive_budget_ = static_cast<std::size_t>(size) / 2;
}

std::vector<Ack> Socket::exchange(std::span<const Request> requests, const OnFrame& on_frame) {
  std::vector<Ack> acks(requests.size());
  for (std::size_t first = 0; first < requests.size();) {
    const std::size_t count = fitting(requests.subspan(first));
    try {
      send_and_collect(requests.subspan(first, count), first, acks, on_frame);
    } catch (Failure& failure) {
      // Those before have run, and whoever asked hears of none of them.
      if (first > 0) failure.reason = reason::outcome_unknown;
      throw;
    }
    first += count;
  }
  return acks;
}

Ack Socket::dump(const Request& request, const OnFrame& on_frame,
                 const std::function<void()>& restart) {
  std::vector<Ack> acks(1);
  for (int tries = 0; tries < kDumpTries; ++tries) {
    restart();
    send_and_collect({&request, 1}, 0, acks, on_frame);
    if (acks[0].error != EINTR) break;
  }
  return acks[0];
}

// How many of the requests can go out together: as many as their replies fit the receive buffer.
std::size_t Socket::fitting(std::span<const Request> requests) const {
  std::size_t replies = 0;
  std::size_t bytes = 0;
  std::size_t count = 0;
  std::size_t fitting = 0;
  for (const Request& request : requests) {
    replies += request.reply_cost();
    bytes += sizeof(nlmsghdr) + aligned(request.body.size());
    if (fitting > 0 && (replies > receive_budget_ || bytes > kLargestSend)) break;
    ++count;
    if (!request.with_next) fitting = count;
  }
  return fitting;
}

void Socket::send(Bytes datagram) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  iovec part{.iov_base = const_cast<std::byte*>(datagram.data()), .iov_len = datagram.size()};
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (sys::sendmsg(fd_.get(), message) < 0) throw Failure::of_errno("send to the kernel");
  ++sends_;
}

void Socket::send_and_collect(std::span<const Request> requests, std::size_t first,
                              std::vector<Ack>& acks, const OnFrame& on_frame) {
  std::vector<std::byte> datagram;
  Pending pending{
      .acks = acks,
      .first_sequence = sequence_ + 1,
      .first = first,
      .waiting = requests.size(),
      .answered = std::vector<bool>(requests.size()),
      .is_dump = std::ranges::any_of(requests, &Request::is_dump),
  };
  for (const Request& request : requests) append_message(datagram, request, ++sequence_);
  send(datagram);
  while (pending.waiting > 0) receive(pending, on_frame);
  if (pending.interrupted) acks[first].error = EINTR;
}

void Socket::make_room(std::size_t longest) {
  longest_ = longest;
  buffer_ = std::make_unique_for_overwrite<std::byte[]>(longest * kDatagrams);
}

// Of a dump one at a time: one that changes underneath is noticed early.
void Socket::receive(Pending& pending, const OnFrame& on_frame) {
  const std::span room(buffer_.get(), longest_ * kDatagrams);
  std::array<sockaddr_nl, kDatagrams> senders{};
  std::array<iovec, kDatagrams> parts{};
  std::array<mmsghdr, kDatagrams> messages{};
  const std::size_t most = pending.is_dump ? 1 : kDatagrams;
  for (std::size_t place = 0; place < most; ++place) {
    parts[place] = {.iov_base = &room[place * longest_], .iov_len = longest_};
    msghdr& message = messages[place].msg_hdr;
    message.msg_name = &senders[place];
    message.msg_namelen = sizeof senders[place];
    message.msg_iov = &parts[place];
    message.msg_iovlen = 1;
  }
  const int count = sys::recvmmsg(fd_.get(), std::span(messages).first(most), MSG_TRUNC);
  if (count < 0) throw Failure(errno, reason::outcome_unknown, "read the kernel's answer");
  for (std::size_t place = 0; place < static_cast<std::size_t>(count); ++place) {
    const std::size_t length = messages[place].msg_len;
    if (length > longest_) {
      make_room(aligned(length));
      throw Failure(EMSGSIZE, reason::outcome_unknown, "read the kernel's answer");
    }
    if (senders[place].nl_pid != 0) continue;  // another process wrote to this port
    FrameReader frames(room.subspan(place * longest_, length));
    while (auto frame = frames.next()) take(*frame, pending, on_frame);
  }
}

void Socket::take(const Frame& frame, Pending& pending, const OnFrame& on_frame) const {
  const std::uint32_t place = frame.header.nlmsg_seq - pending.first_sequence;
  // A late answer to an exchange that was given up, or an event.
  if (frame.header.nlmsg_pid != port_ || place >= pending.answered.size()) return;
  if ((frame.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) pending.interrupted = true;
  const std::uint16_t type = frame.header.nlmsg_type;
  if (type != NLMSG_ERROR && type != NLMSG_DONE) {
    on_frame(pending.first + place, frame);
    return;
  }
  if (pending.answered[place]) return;
  pending.answered[place] = true;
  pending.acks[pending.first + place] = read_ack(frame);
  --pending.waiting;
}

}  // namespace flintap::netlink
