#include "core/system/native_thread.h"

#include <pthread.h>

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
