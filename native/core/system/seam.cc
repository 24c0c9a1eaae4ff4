#include "core/system/seam.h"

#include <atomic>
#include <cerrno>
#include <csignal>

namespace flintap::seam {
namespace {

std::atomic<std::uint32_t> calls{0};
std::atomic<std::uint32_t> strike_at{0};
std::atomic<int> strike_error{0};
std::atomic<const char*> struck{nullptr};
thread_local bool counting = false;

}  // namespace

void arm(std::uint32_t at, int error) {
  struck = nullptr;
  calls = 0;
  strike_error = error;
  strike_at = at;
}

Report disarm() {
  strike_at = 0;
  const char* name = struck.exchange(nullptr);
  return {.calls = calls.exchange(0), .struck = name == nullptr ? "" : name};
}

bool strikes(const char* call) noexcept {
  if (!counting || strike_at == 0) return false;
  if (++calls != strike_at) return false;
  struck = call;
  if (strike_error == 0) {
    std::raise(SIGKILL);
  }
  errno = strike_error;
  return true;
}

Scope::Scope() noexcept { counting = true; }
Scope::~Scope() { counting = false; }

}  // namespace flintap::seam
