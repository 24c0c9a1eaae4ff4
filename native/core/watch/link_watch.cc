#include "core/watch/link_watch.h"

#include <linux/rtnetlink.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>

#include "core/link/requests.h"
#include "core/netlink/event_socket.h"
#include "core/netlink/socket.h"
#include "core/system/seam.h"
#include "core/system/system.h"

namespace flintap {
namespace {

using Clock = std::chrono::steady_clock;

// Between two listings, as many times as long as the first of them took.
constexpr int kRest = 10;
// After a listing that failed, as many times this as have failed: what one may lack, such as
// descriptors, comes back no sooner.
constexpr Clock::duration kRestAfterFailure = std::chrono::milliseconds(50);
constexpr int kMostFailedListings = 5;

// Rounded up: to wake too early would be to wake again and again.
int milliseconds_until(Clock::time_point then) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(then - Clock::now());
  return static_cast<int>(std::max(left.count(), std::chrono::milliseconds::rep{0}));
}

// The second tells of IPv6 that is opened on a link, which the first does not.
constexpr std::array kGroups{int{RTNLGRP_LINK}, int{RTNLGRP_IPV6_IFINFO}};

std::optional<std::int64_t> number_of_this_thread() try {
  return NetworkNamespace::of_this_thread()->id;
} catch (const Failure&) {
  return std::nullopt;
}

// A datagram of events.
template <class Take>
void for_each_event(netlink::Bytes datagram, std::optional<std::int64_t> number, Take take) {
  netlink::FrameReader frames(datagram);
  while (auto frame = frames.next()) {
    auto event = read_link_event(*frame);
    if (!event) continue;
    if (event->link) event->link->network_namespace = number;
    take(std::move(*event));
  }
}

}  // namespace

LinkWatch::LinkWatch(Settings settings, std::function<void()> on_change)
    : settings_(std::move(settings)),
      on_change_(std::move(on_change)),
      thread_(start_thread("flintap-watch", [this] { work(); })) {}

LinkWatch::~LinkWatch() {
  stop();
  thread_.join();
}

void LinkWatch::stop() {
  stopping_ = true;
  if constexpr (seam::enabled) seam::resume();
  wake_.signal();
}

LinkWatch::State LinkWatch::take(std::size_t most) {
  const std::scoped_lock lock(mutex_);
  State state;
  if (listed_ && most > 0) {
    if (round_.empty()) round_ = news_.hand_over();
    const auto end = round_.begin() + static_cast<std::ptrdiff_t>(std::min(most, round_.size()));
    state.news.assign(std::move_iterator(round_.begin()), std::move_iterator(end));
    round_.erase(round_.begin(), end);
    state.more = !round_.empty();
  }
  if (state.news.empty()) state.failure = failure_;
  state.ended = ended_;
  return state;
}

bool LinkWatch::anything() {
  const std::scoped_lock lock(mutex_);
  return (listed_ && !(round_.empty() && news_.empty())) || failure_ || ended_;
}

void LinkWatch::tell() {
  if (anything()) on_change_();
}

void LinkWatch::work() {
  std::optional<Failure> failure = failure_of("watch links", [this] {
    const seam::Scope counted;
    watch();
  });
  {
    const std::scoped_lock lock(mutex_);
    failure_ = std::move(failure);
    ended_ = true;
  }
  on_change_();
}

// Listening comes before listing, so nothing falls between the two. Events that are read later may
// be older than the listing: what they say is corrected by those that come after them. Once some
// are lost, those that come up to the next listing are dropped: it has what they say, and news
// would be told before older ones.
//
// In a storm, a buffer that is too small overruns again and again. A listing holds up everybody's
// requests, so the watch rests between two, and takes a small part of the time only.
void LinkWatch::watch() {
  if (settings_.network_namespace) {
    enter_network_namespace(settings_.network_namespace->fd.get(), {});
    number_ = settings_.network_namespace->id;
  } else {
    number_ = number_of_this_thread();
  }
  netlink::EventSocket events(kGroups, settings_.receive_buffer);
  std::optional<netlink::Socket> requests;
  bool lost = true;
  Clock::time_point rested{};
  while (!stopping_) {
    // To its end: until the socket has been read empty, the kernel goes on dropping events.
    lost = drain(events, lost);
    const Clock::time_point begun = Clock::now();
    if (lost && begun >= rested) {
      lost = !list(requests);
      rested = Clock::now() + kRest * (Clock::now() - begun) + failed_listings_ * kRestAfterFailure;
    }
    if (!lost) tell();
    wait(events, lost ? milliseconds_until(rested) : -1);
  }
}

// What the first listing fails of, the watch fails of. Later, a fault may pass.
bool LinkWatch::list(std::optional<netlink::Socket>& requests) {
  try {
    if (!requests) requests.emplace();
    const bool whole = list_by(*requests);
    failed_listings_ = 0;
    return whole;
  } catch (const Failure&) {
    if (!listed_ || ++failed_listings_ == kMostFailedListings) throw;
    requests.reset();
    return false;
  }
}

// One that was interrupted may lack links, on older kernels also such as no event will tell of.
bool LinkWatch::list_by(netlink::Socket& requests) {
  const netlink::Request question = requests::dump({});
  std::vector<LinkEvent> listed;
  const auto acks =
      requests.exchange({&question, 1}, [&](std::size_t, const netlink::Frame& frame) {
        auto event = read_link_event(frame);
        if (!event || !event->link) return;
        event->link->network_namespace = number_;
        listed.push_back(std::move(*event));
      });
  if (acks[0].error == EINTR) return false;
  if (acks[0].error != 0) throw Failure(acks[0].error, reason::kernel, question.step);
  const std::scoped_lock lock(mutex_);
  news_.take_listing(std::move(listed));
  listed_ = true;
  return true;
}

bool LinkWatch::drain(netlink::EventSocket& events, bool lost) {
  while (!stopping_) {
    const auto reading = events.read();
    lost = lost || reading.overrun;
    if (reading.overrun) continue;
    if (!reading.datagram) break;
    if (lost) continue;
    const std::scoped_lock lock(mutex_);
    for_each_event(*reading.datagram, number_,
                   [&](LinkEvent event) { news_.take(std::move(event)); });
  }
  return lost;
}

void LinkWatch::wait(const netlink::EventSocket& events, int timeout) {
  std::array<pollfd, 2> sources{{{.fd = events.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = wake_.descriptor(), .events = POLLIN, .revents = 0}}};
  if (sys::poll(sources, timeout) < 0) throw Failure::of_errno("wait for link events");
}

}  // namespace flintap
