#include "core/system/native_thread.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include "core/system/system.h"

namespace flintap {

std::thread start_thread(const char* name, std::function<void()> work) {
  try {
    return std::thread([name, work = std::move(work)] {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, nullptr);
      pthread_setname_np(pthread_self(), name);
      work();
    });
  } catch (const std::system_error& error) {
    throw Failure(error.code().value(), reason::kernel, "start a thread");
  }
}

// Never destroyed: one of them may still run while the process exits.
LeftThreads& LeftThreads::of_process() {
  static auto* threads = new LeftThreads;  // NOLINT(cppcoreguidelines-owning-memory)
  return *threads;
}

void LeftThreads::leave(std::thread thread) {
  const std::scoped_lock lock(mutex_);
  running_.push_back(std::move(thread));
}

void LeftThreads::ends() {
  std::thread previous;
  {
    const std::scoped_lock lock(mutex_);
    const auto own = std::ranges::find(running_, std::this_thread::get_id(), &std::thread::get_id);
    if (own == running_.end()) return;  // is waited for
    previous = std::exchange(ended_, std::move(*own));
    running_.erase(own);
  }
  if (previous.joinable()) previous.join();
}

void LeftThreads::wait() {
  std::vector<std::thread> threads;
  {
    const std::scoped_lock lock(mutex_);
    threads = std::exchange(running_, {});
    if (ended_.joinable()) threads.push_back(std::move(ended_));
  }
  for (std::thread& thread : threads) thread.join();
}

WakeUp::WakeUp() : event_(sys::event_fd()) {
  if (!event_.valid()) throw Failure::of_errno("make an eventfd");
}

void WakeUp::signal() const {
  const std::uint64_t one = 1;
  sys::write(event_.get(), std::as_bytes(std::span(&one, 1)));
}

void WakeUp::clear() const {
  std::uint64_t count = 0;
  sys::read(event_.get(), std::as_writable_bytes(std::span(&count, 1)));
}

}  // namespace flintap
