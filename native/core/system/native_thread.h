// What the threads of the core have in common: how they begin, how one that waits in poll is woken,
// and how what goes wrong on one becomes a failure to hand over.
#pragma once

#include <cerrno>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "core/failure.h"
#include "core/system/fd.h"

namespace flintap {

// With all signals blocked: they are the application's, and none is to interrupt the work. Throws
// Failure when no thread can be had. `name` has up to 15 bytes.
std::thread start_thread(const char* name, std::function<void()> work);

// Threads that end by themselves, since nobody who could join them may wait for them. They must
// have ended before the addon is unloaded.
class LeftThreads {
 public:
  static LeftThreads& of_process();

  // Before the thread can come to its end, which tells so by `ends`, as its last call but for what
  // it destroys.
  void leave(std::thread thread);
  void ends();
  // Until all have ended that were left so far.
  void wait();

 private:
  std::mutex mutex_;
  std::vector<std::thread> running_;
  std::thread ended_;  // the last one, which the next one joins
};

// An eventfd. `signal` is for any thread, the rest for the one that waits.
class WakeUp {
 public:
  WakeUp();  // throws Failure

  [[nodiscard]] int descriptor() const { return event_.get(); }
  void signal() const;
  void clear() const;

 private:
  Fd event_;
};

// The failure with which `body` ends, if it does; `doing` says what was done where the exception
// does not.
template <class Body>
std::optional<Failure> failure_of(std::string_view doing, Body body) {
  try {
    body();
    return std::nullopt;
  } catch (const Failure& failure) {
    return failure;
  } catch (const std::bad_alloc&) {
    return Failure(ENOMEM, reason::kernel, "allocate memory");
  } catch (const std::exception&) {
    return Failure(0, reason::kernel, doing);
  }
}

}  // namespace flintap
