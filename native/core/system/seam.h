// The one place where a test build can make a system call fail, or kill the process there.
//
// Calls are counted only while an operation runs on an operation thread, so that a test can walk
// through all of them: fail the first, the second, … until an operation ends untouched. In the
// shipped build `enabled` is false and nothing of this is left in the code.
#pragma once

#include <cstdint>
#include <string>

namespace flintap::seam {

#ifdef FLINTAP_TEST_SEAM
inline constexpr bool enabled = true;
#else
inline constexpr bool enabled = false;
#endif

struct Report {
  std::uint32_t calls = 0;
  std::string struck;
};

// The `at`-th call from now fails with `error`; with 0 the process is killed there.
void arm(std::uint32_t at, int error);
Report disarm();

// True when this call is the one to fail; errno is set then.
bool strikes(const char* call) noexcept;

// Counting is on for as long as one of these lives on the calling thread.
class Scope {
 public:
  Scope() noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
};

}  // namespace flintap::seam
