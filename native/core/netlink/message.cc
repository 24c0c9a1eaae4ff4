#include "core/netlink/message.h"

#include <algorithm>

namespace flintap::netlink {

std::optional<Frame> FrameReader::next() {
  Frame frame;
  if (rest_.size() < sizeof frame.header) return std::nullopt;
  std::memcpy(&frame.header, rest_.data(), sizeof frame.header);
  const std::size_t length = frame.header.nlmsg_len;
  if (length < sizeof frame.header || length > rest_.size()) return std::nullopt;
  frame.body = rest_.subspan(sizeof frame.header, length - sizeof frame.header);
  rest_ = rest_.subspan(std::min(aligned(length), rest_.size()));
  return frame;
}

// struct nlmsgerr: the error, the request's header, its body unless NLM_F_CAPPED, then attributes.
// An NLMSG_DONE has the error alone in front of them.
Ack read_ack(const Frame& frame) {
  std::int32_t error = 0;
  if (frame.body.size() < sizeof error) return {.error = EBADMSG, .text = {}};
  std::memcpy(&error, frame.body.data(), sizeof error);
  std::size_t fixed = sizeof error;
  if (frame.header.nlmsg_type == NLMSG_ERROR) {
    nlmsghdr echoed{};
    if (frame.body.size() < sizeof error + sizeof echoed) return {.error = EBADMSG, .text = {}};
    std::memcpy(&echoed, frame.body.data() + sizeof error, sizeof echoed);
    const bool capped = (frame.header.nlmsg_flags & NLM_F_CAPPED) != 0;
    fixed += capped ? sizeof echoed : aligned(echoed.nlmsg_len);
  }
  // Negated without a sign, which has no overflow.
  Ack ack{.error = static_cast<int>(0U - static_cast<unsigned>(error)), .text = {}};
  if ((frame.header.nlmsg_flags & NLM_F_ACK_TLVS) != 0 && fixed <= frame.body.size()) {
    if (auto text = find(frame.body.subspan(fixed), NLMSGERR_ATTR_MSG)) ack.text = text->text();
  }
  return ack;
}

void append_message(std::vector<std::byte>& datagram, const Request& request,
                    std::uint32_t sequence) {
  const nlmsghdr header{
      .nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + request.body.size()),
      .nlmsg_type = request.type,
      .nlmsg_flags = static_cast<std::uint16_t>(request.flags | NLM_F_REQUEST | NLM_F_ACK),
      .nlmsg_seq = sequence,
      .nlmsg_pid = 0,
  };
  const Bytes head = bytes_of(header);
  datagram.insert(datagram.end(), head.begin(), head.end());
  datagram.insert(datagram.end(), request.body.begin(), request.body.end());
  datagram.resize(aligned(datagram.size()));
}

}  // namespace flintap::netlink
