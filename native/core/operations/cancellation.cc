#include "core/operations/cancellation.h"

namespace flintap {

bool Cancellation::request() noexcept { return state_.exchange(State::given_up) == State::waiting; }

bool Cancellation::begin() noexcept {
  State expected = State::waiting;
  return state_.compare_exchange_strong(expected, State::begun);
}

bool Cancellation::requested() const noexcept { return state_ == State::given_up; }

}  // namespace flintap
