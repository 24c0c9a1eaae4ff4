// A NETLINK_ROUTE socket: sends requests, collects every answer, loses none.
//
// Lives on the thread that opened it and stays in that thread's network namespace. rtnetlink runs a
// request inside send(), so all answers but a long dump's are there when send() returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/netlink/message.h"
#include "core/system/fd.h"

namespace flintap::netlink {

// Called with the place of the request that a frame answers.
using OnFrame = std::function<void(std::size_t request, const Frame& frame)>;

// More than a link has: each of its nested attributes ends at 64 kB, and a dump's datagrams at 32.
inline constexpr std::size_t kLongestDatagram = 256 << 10;

class Socket {
 public:
  // `longest`: the datagram for which there is room at first. Throws Failure.
  explicit Socket(std::size_t longest = kLongestDatagram);

  // Sends the requests in order and returns an ack for each; the kernel runs them all, also those
  // after a refused one. In one send() as long as the replies surely fit the receive buffer.
  // Throws Failure: with reason "outcome-unknown" when replies were lost after a send, or a further
  // send failed.
  std::vector<Ack> exchange(std::span<const Request> requests, const OnFrame& on_frame);

  // The same for one dump. An interrupted one (NLM_F_DUMP_INTR) is done anew: `restart` is called
  // first, to forget the frames so far.
  Ack dump(const Request& request, const OnFrame& on_frame, const std::function<void()>& restart);

  // How many sends there were.
  [[nodiscard]] std::uint32_t sends() const { return sends_; }

 private:
  struct Pending;

  void enlarge_receive_buffer();
  std::size_t fitting(std::span<const Request> requests) const;
  void send(Bytes datagram);
  void send_and_collect(std::span<const Request> requests, std::size_t first,
                        std::vector<Ack>& acks, const OnFrame& on_frame);
  // The datagrams that have come, one at least, and what they answer.
  void receive(Pending& pending, const OnFrame& on_frame);
  void make_room(std::size_t longest);
  void take(const Frame& frame, Pending& pending, const OnFrame& on_frame) const;

  Fd fd_;
  std::uint32_t port_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint32_t sends_ = 0;
  std::size_t receive_budget_ = 0;
  // Room for some datagrams. Not zeroed, so that what is never written to takes no memory.
  std::size_t longest_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace flintap::netlink
