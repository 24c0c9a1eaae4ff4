#include "core/system/seam.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <utility>

namespace flintap::seam {
namespace {

std::atomic<bool> armed{false};
thread_local bool counting = false;

// What is armed, and what came of it. Never destroyed: an operation thread may outlast main().
struct State {
  std::mutex mutex;
  Plan plan;
  Report report;
};

State& state() {
  static auto* instance = new State;  // NOLINT(cppcoreguidelines-owning-memory)
  return *instance;
}

bool is_struck(const Plan& plan, std::uint32_t call) {
  return call == plan.at || call == plan.and_at || (plan.from_then_on && call > plan.at);
}

}  // namespace

void arm(Plan plan) {
  const std::scoped_lock lock(state().mutex);
  state().plan = std::move(plan);
  state().report = {};
  armed = true;
}

Report disarm() {
  const std::scoped_lock lock(state().mutex);
  armed = false;
  return std::exchange(state().report, {});
}

bool strikes(const char* call) noexcept {
  if (!counting || !armed) return false;
  const std::scoped_lock lock(state().mutex);
  const Plan& plan = state().plan;
  if (plan.refused == call) {
    errno = EPERM;
    return true;
  }
  Report& report = state().report;
  if (!is_struck(plan, ++report.calls)) return false;
  if (plan.error == 0) std::raise(SIGKILL);
  report.struck.emplace_back(call);
  errno = plan.error;
  return true;
}

Scope::Scope() noexcept { counting = true; }
Scope::~Scope() { counting = false; }

}  // namespace flintap::seam
