// Taking back what an operation did before it failed.
//
// An `undo` gives in words what it could not take back; nothing when everything is as it was. It
// looks before it acts, so it can be run again: where it fails itself, say because an answer is
// lost once more, it is tried again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/operations/transact.h"

namespace flintap {

using Left = std::optional<std::string>;

// How often an undo is run.
inline constexpr int kUndoTries = 3;

// What `question` says, asked again where asking fails; nothing where it fails each time.
template <class Question>
auto insist(Question question) -> std::optional<decltype(question())> {
  for (int tries = 0; tries < kUndoTries; ++tries) {
    try {
      return question();
    } catch (const Failure&) {
      continue;
    }
  }
  return std::nullopt;
}

// `unknown` stands for what is left when that can't be found out.
template <class Undo>
void take_back(Failure& failure, Undo undo, const std::string& unknown) {
  const std::optional<Left> left = insist(undo);
  if (!left) {
    failure.left_behind.push_back(unknown);
  } else if (*left) {
    failure.left_behind.push_back(**left);
  }
}

// Runs `work`, and `undo` if it fails.
template <class Work, class Undo>
auto undoing(Work work, Undo undo, const std::string& unknown) {
  try {
    return work();
  } catch (Failure& failure) {
    take_back(failure, undo, unknown);
    throw;
  } catch (...) {
    insist(undo);
    throw;
  }
}

// Asks by one send. A lost answer is undone: the kernel has done all that it would do. Where even
// the send failed, there is nothing to undo.
template <class Undo>
std::vector<Answer> ask_undoing(Context& context, std::span<const netlink::Request> requests,
                                Undo undo, const std::string& unknown) {
  try {
    return ask(context, requests);
  } catch (Failure& failure) {
    if (failure.reason == reason::outcome_unknown) take_back(failure, undo, unknown);
    throw;
  } catch (...) {
    insist(undo);
    throw;
  }
}

}  // namespace flintap
