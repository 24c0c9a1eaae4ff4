#include "core/operations/senders.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/operations/transact.h"
#include "core/system/seam.h"

namespace flintap {
namespace {

// Their grace periods overlap: so many take no longer than one.
constexpr std::size_t kMost = 8;

}  // namespace

Sender::Sender(const WakeUp& wake)
    : wake_(wake), thread_(start_thread("flintap-delete", [this] { work(); })) {}

Sender::~Sender() {
  if (answered()) become(State::idle);
  wait_until_idle();
  become(State::ending);
  thread_.join();
}

void Sender::become(State state) {
  state_ = state;
  state_.notify_all();
}

void Sender::wait_until_idle() const {
  for (State state = state_; state != State::idle; state = state_) state_.wait(state);
}

void Sender::send(netlink::Request request, std::string device, ReportLate report_late) {
  request_ = std::move(request);
  device_ = std::move(device);
  report_late_ = std::move(report_late);
  become(State::sending);
}

std::optional<Failure> Sender::answer() {
  state_.wait(State::sending);
  auto failure = std::exchange(failure_, std::nullopt);
  become(State::idle);
  return failure;
}

void Sender::leave() {
  State sending = State::sending;
  if (state_.compare_exchange_strong(sending, State::left)) return;
  report();
  become(State::idle);
}

void Sender::report() {
  const auto failure = std::exchange(failure_, std::nullopt);
  if (failure && failure->error != ENODEV && report_late_) report_late_(*failure);
}

void Sender::work() {
  for (;;) {
    state_.wait(State::idle);
    if (state_ == State::ending) return;
    if (state_ == State::answered) {
      state_.wait(State::answered);
      continue;
    }
    failure_ = failure_of(request_->step, [this] { exchange(); });
    if (failure_) failure_->device = device_;
    State sending = State::sending;
    if (state_.compare_exchange_strong(sending, State::answered)) {
      state_.notify_all();
    } else {
      report();
      become(State::idle);
    }
    wake_.signal();
  }
}

void Sender::exchange() {
  // A test may have begun its next run meanwhile.
  const seam::Scope counted(seam::Counted::by_this_plan);
  const auto acks = socket_.exchange({&*request_, 1}, [](std::size_t, const netlink::Frame&) {});
  if (acks[0].error != 0) throw refusal(acks[0], *request_, device_);
}

// Where no further one can be had, one that is at work will do.
Sender& Senders::take_idle() {
  auto next = std::ranges::find_if(senders_, [](const auto& sender) { return sender->idle(); });
  if (next == senders_.end() && senders_.size() < kMost) {
    const auto failure = failure_of(
        "start a thread", [this] { senders_.push_back(std::make_unique<Sender>(wake_)); });
    if (failure && senders_.empty()) throw Failure(*failure);
    next = failure ? senders_.begin() : std::prev(senders_.end());
  }
  if (next == senders_.end()) next = senders_.begin();
  (*next)->wait_until_idle();
  std::rotate(next, next + 1, senders_.end());
  return *senders_.back();
}

}  // namespace flintap
