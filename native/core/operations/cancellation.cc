#include "core/operations/cancellation.h"

#include <cerrno>

#include "core/failure.h"
#include "core/operations/operation.h"

namespace flintap {

bool Cancellation::request() noexcept { return state_.exchange(State::given_up) == State::waiting; }

bool Cancellation::begin() noexcept {
  State expected = State::waiting;
  return state_.compare_exchange_strong(expected, State::begun);
}

bool Cancellation::requested() const noexcept { return state_ == State::given_up; }

void Context::stop_if_cancelled() const {
  const bool given_up = cancellation != nullptr && cancellation->requested();
  if (given_up || (ending != nullptr && *ending)) {
    throw Failure(ECANCELED, reason::aborted, "finish");
  }
}

}  // namespace flintap
