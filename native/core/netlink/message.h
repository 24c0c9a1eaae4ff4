// Netlink messages: requests on their way out, frames on their way in.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/netlink/attributes.h"

namespace flintap::netlink {

// What a request's replies take of the receive buffer as the kernel accounts for it
// (skb->truesize), measured at the default buffer of 212,992 bytes: 256 bare acks fit, 67 creates
// with an echo do.
inline constexpr std::size_t kAckCost = 832;
inline constexpr std::size_t kLinkCost = 3'200;

struct Request {
  std::uint16_t type = 0;   // RTM_*
  std::uint16_t flags = 0;  // NLM_F_*; NLM_F_REQUEST and NLM_F_ACK are added
  std::string_view step;    // what a failure is reported as
  std::vector<std::byte> body;
  // The kernel sends link messages back before the ack.
  bool answers = false;
  // Goes out in the same send as the next one, whatever their size: a process that is killed must
  // not have sent the one without the other.
  bool with_next = false;

  Request(std::uint16_t message_type, std::uint16_t message_flags, std::string_view what,
          const AttributeWriter& writer, bool with_answer = false)
      : type(message_type),
        flags(message_flags),
        step(what),
        body(writer.bytes().begin(), writer.bytes().end()),
        answers(with_answer) {}

  [[nodiscard]] std::size_t reply_cost() const { return answers ? kLinkCost + kAckCost : kAckCost; }
  [[nodiscard]] bool is_dump() const { return (flags & NLM_F_DUMP) == NLM_F_DUMP; }
};

// How the kernel answered one request.
struct Ack {
  int error = 0;     // an errno, 0 for success
  std::string text;  // NLMSGERR_ATTR_MSG
};

// One message of a datagram.
struct Frame {
  nlmsghdr header{};
  Bytes body;
};

// Walks the messages of a datagram.
class FrameReader {
 public:
  explicit FrameReader(Bytes datagram) : rest_(datagram) {}
  std::optional<Frame> next();

 private:
  Bytes rest_;
};

// The ack in an NLMSG_ERROR, or in the NLMSG_DONE that ends a dump.
Ack read_ack(const Frame& frame);

// Appends the request as a whole message.
void append_message(std::vector<std::byte>& datagram, const Request& request,
                    std::uint32_t sequence);

}  // namespace flintap::netlink
