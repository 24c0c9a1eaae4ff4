#include "core/operations/removal.h"

#include <linux/rtnetlink.h>
#include <poll.h>

#include <array>
#include <utility>

#include "core/link/link_event.h"
#include "core/netlink/event_socket.h"
#include "core/system/system.h"

namespace flintap {
namespace {

// All of a chunk's, and what others do meanwhile.
constexpr int kReceiveBuffer = 4 << 20;

// A socket a deletion: one that was kept would have to be emptied of what came in between, and an
// idle handle's would be woken for every event of the host. Without one, the answer has to do.
std::optional<netlink::EventSocket> listen() try {
  constexpr std::array kGroups{int{RTNLGRP_LINK}};
  return std::optional<netlink::EventSocket>(std::in_place, kGroups, kReceiveBuffer);
} catch (const Failure&) {
  return std::nullopt;
}

// False: some were lost.
bool take_events(netlink::EventSocket& events, Indexes& waiting) {
  for (;;) {
    const auto reading = events.read();
    if (!reading.datagram) return !reading.overrun;
    netlink::FrameReader frames(*reading.datagram);
    while (auto frame = frames.next()) {
      if (const auto index = read_deletion(*frame)) waiting.erase(*index);
    }
  }
}

// Until all have come, or the answer has, or some were lost: then it is false, and the answer
// counts.
bool wait_for_events(netlink::EventSocket& events, const WakeUp& wake, const Sender& sender,
                     Indexes& waiting) {
  std::array<pollfd, 2> sources{{{.fd = events.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = wake.descriptor(), .events = POLLIN, .revents = 0}}};
  for (;;) {
    wake.clear();
    // Asked before the events are read: the kernel sends them first.
    const bool answered = sender.answered();
    const bool all = take_events(events, waiting);
    if (!all || answered || waiting.empty()) return all;
    if (sys::poll(sources, -1) < 0) throw Failure::of_errno("wait for link events");
  }
}

}  // namespace

Removal remove_links(Context& context, Sender& sender, netlink::Request request, std::string label,
                     Indexes& waiting) {
  auto events = listen();
  sender.send(std::move(request), std::move(label), context.report_late);
  context.count_sends(1);
  Removal removal;
  // A failure to wait is none of the deletion: then the answer is waited for, which takes no call.
  if (events) {
    failure_of("wait for link events", [&] {
      removal.told_all = wait_for_events(*events, context.senders().wake(), sender, waiting);
    });
  }
  if (waiting.empty()) {
    sender.leave();
  } else {
    removal.failure = sender.answer();
  }
  return removal;
}

}  // namespace flintap
