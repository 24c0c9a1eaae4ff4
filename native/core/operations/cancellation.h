// Giving up an operation: the caller says so on its thread, the operation hears of it on its own.
#pragma once

#include <atomic>
#include <cstdint>

namespace flintap {

class Cancellation {
 public:
  // The caller's thread. True: it had not begun, and never will. False: it runs, or has run.
  bool request() noexcept;
  // The operation thread: it begins now. False: it was given up before, and must not.
  bool begin() noexcept;
  [[nodiscard]] bool requested() const noexcept;

 private:
  enum class State : std::uint8_t { waiting, begun, given_up };
  std::atomic<State> state_{State::waiting};
};

}  // namespace flintap
