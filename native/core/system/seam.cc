#include "core/system/seam.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <optional>
#include <utility>

namespace flintap::seam {
namespace {

std::atomic<bool> armed{false};
// Of the plan that was armed last.
std::atomic<std::uint32_t> latest{0};
thread_local bool counting = false;
// The only plan that this thread's calls belong to.
thread_local std::optional<std::uint32_t> belonging;

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

// How far a pause is. Waited on without a lock.
enum class Pause : std::uint8_t { none, planned, standing };
std::atomic<Pause> pause{Pause::none};

void stand_still() {
  Pause planned = Pause::planned;
  if (!pause.compare_exchange_strong(planned, Pause::standing)) return;
  pause.wait(Pause::standing);
}

// A name is struck off the plan with its first call.
bool is_struck(Plan& plan, std::uint32_t call, const char* name) {
  return std::erase(plan.first_of, name) > 0 || call == plan.at || call == plan.and_at ||
         (plan.from_then_on && call > plan.at);
}

}  // namespace

void arm(Plan plan) {
  const std::scoped_lock lock(state().mutex);
  state().plan = std::move(plan);
  state().report = {};
  pause = state().plan.pause_at > 0 ? Pause::planned : Pause::none;
  ++latest;
  armed = true;
}

Report disarm() {
  const std::scoped_lock lock(state().mutex);
  armed = false;
  return std::exchange(state().report, {});
}

bool is_paused() { return pause == Pause::standing; }

void resume() {
  pause = Pause::none;
  pause.notify_all();
}

bool strikes(const char* call) noexcept {
  if (!counting || !armed) return false;
  std::unique_lock lock(state().mutex);
  if (belonging.value_or(latest) != latest) return false;
  Plan& plan = state().plan;
  if (plan.refused == call) {
    errno = EPERM;
    return true;
  }
  Report& report = state().report;
  const std::uint32_t number = ++report.calls;
  if (number == plan.pause_at) {
    lock.unlock();
    stand_still();
    lock.lock();
  }
  if (!is_struck(plan, number, call)) return false;
  if (plan.error == 0) std::raise(SIGKILL);
  report.struck.emplace_back(call);
  errno = plan.error;
  return true;
}

Scope::Scope(Counted counted) noexcept {
  counting = true;
  if (counted == Counted::by_this_plan) belonging = latest;
}

Scope::~Scope() {
  counting = false;
  belonging.reset();
}

}  // namespace flintap::seam
