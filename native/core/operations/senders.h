// Threads that send what the kernel has done long before send() returns.
//
// A deletion is told of by an event, and done: after it, send() waits for grace periods
// (rcu_barrier), without the kernel's lock. Meanwhile the operation thread goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/failure.h"
#include "core/netlink/socket.h"
#include "core/system/native_thread.h"

namespace flintap {

// Told, on the thread of a sender, of a failure that came after its operation had settled.
using ReportLate = std::function<void(Failure)>;

// One thread, with a socket of its own. All but `work` is the operation thread's.
class Sender {
 public:
  // The socket is opened by the calling thread, whose network namespace it keeps: the sender has to
  // enter none, and what is lacking is known before anything is sent. `wake` is signalled with each
  // answer. Throws Failure.
  explicit Sender(const WakeUp& wake);
  // Waits for the kernel.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Only while it is idle. `device` is what a refusal calls the link. Afterwards, one of `answer`
  // and `leave`.
  void send(netlink::Request request, std::string device, ReportLate report_late);
  [[nodiscard]] bool answered() const { return state_ == State::answered; }
  // Waits for it: how the request failed, if it did.
  std::optional<Failure> answer();
  // Nobody waits for the answer: if it is a failure, it is reported. Other than ENODEV, by which
  // somebody else has deleted the link in the same moment.
  void leave();

  [[nodiscard]] bool idle() const { return state_ == State::idle; }
  void wait_until_idle() const;

 private:
  enum class State : std::uint8_t { idle, sending, left, answered, ending };

  void work();
  void exchange();
  void become(State state);
  void report();

  const WakeUp& wake_;
  netlink::Socket socket_;
  // Who may touch what follows: the sender's thread while it is `sending` or `left`.
  std::atomic<State> state_{State::idle};
  std::optional<netlink::Request> request_;
  std::string device_;
  ReportLate report_late_;
  std::optional<Failure> failure_;
  std::thread thread_;
};

// As many as were needed at once, up to a limit. They end with it, after what they have sent.
class Senders {
 public:
  // Throws Failure.
  Sender& take_idle();
  // Signalled with each answer of one of them.
  [[nodiscard]] const WakeUp& wake() const { return wake_; }

 private:
  WakeUp wake_;
  // The one that was taken longest ago is first.
  std::vector<std::unique_ptr<Sender>> senders_;
};

}  // namespace flintap
