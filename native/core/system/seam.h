// The one place where a test build can make a system call fail, or kill the process there.
//
// Calls are counted only while an operation runs on an operation thread, so that a test can walk
// through all of them: fail the first, the second, … until an operation ends untouched. In the
// shipped build `enabled` is false and nothing of this is left in the code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flintap::seam {

#ifdef FLINTAP_TEST_SEAM
inline constexpr bool enabled = true;
#else
inline constexpr bool enabled = false;
#endif

// Which calls fail. A call is counted from 1, since it was armed.
struct Plan {
  std::uint32_t at = 0;
  int error = 0;  // 0: the process is killed there
  // A second one, for what has to be undone after the first. It fails with the same error.
  std::uint32_t and_at = 0;
  // All from `at` on fail.
  bool from_then_on = false;
  // The thread stops before this one until `resume`, for what happens in the middle of an
  // operation.
  std::uint32_t pause_at = 0;
  // The first call of each of these names fails, too: where a fault is to be met at the same place
  // however the calls of this run fall.
  std::vector<std::string> first_of{};
  // Calls of this name fail with EPERM, uncounted: what the process is not allowed.
  std::string refused{};
};

struct Report {
  std::uint32_t calls = 0;
  // The names of the calls that failed, without those refused.
  std::vector<std::string> struck;
};

void arm(Plan plan);
Report disarm();

// Whether a thread stands still at `pause_at`.
bool is_paused();
// Lets it go on; nothing pauses any more until armed anew.
void resume();

// True when this call is to fail; errno is set then.
bool strikes(const char* call) noexcept;

enum class Counted : std::uint8_t {
  // For a thread that goes on from one plan to the next.
  always,
  // Only until the next plan is armed: for what may outlast the operation that it belongs to, and
  // would be taken for a part of a later one.
  by_this_plan,
};

// Counting is on for as long as one of these lives on the calling thread.
class Scope {
 public:
  explicit Scope(Counted counted = Counted::always) noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
};

}  // namespace flintap::seam
