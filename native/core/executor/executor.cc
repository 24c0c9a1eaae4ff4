#include "core/executor/executor.h"

#include <cerrno>
#include <utility>

#include "core/system/native_thread.h"
#include "core/system/seam.h"

namespace flintap {

Executor::Executor(OnDone on_done) : on_done_(std::move(on_done)) {
  context_.ending = &stopping_;
  thread_ = start_thread("flintap", [this] { work(); });
}

Executor::~Executor() { stop(); }

void Executor::submit(std::unique_ptr<Task> task) {
  task->submitted = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(task));
  }
  ++submissions_;
  submissions_.notify_one();
}

void Executor::stop() {
  tell_to_stop();
  if constexpr (seam::enabled) seam::resume();
  ++submissions_;
  submissions_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::deque<std::unique_ptr<Task>> Executor::take_all() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(queue_, {});
}

void Executor::work() {
  run_all();
  context_ = Context();
}

void Executor::run_all() {
  for (;;) {
    const std::uint32_t seen = submissions_;
    auto tasks = take_all();
    for (auto& task : tasks) {
      if (stopping_) return;
      const bool last = task->operation == nullptr;
      if (!last) run(*task);
      on_done_(std::move(task));
      if (last) return;
    }
    if (stopping_) return;
    if (tasks.empty()) submissions_.wait(seen);
  }
}

void Executor::run(Task& task) {
  const seam::Scope counted;
  const std::uint32_t sends_before = context_.sends();
  task.begun = std::chrono::steady_clock::now();
  run_operation(task);
  task.ended = std::chrono::steady_clock::now();
  task.sends = context_.sends() - sends_before;
  context_.cancellation = nullptr;
}

void Executor::run_operation(Task& task) {
  if (!task.cancellation.begin()) {
    task.failure.emplace(ECANCELED, reason::aborted, "begin");
    return;
  }
  context_.cancellation = &task.cancellation;
  task.failure = failure_of("run the operation",
                            [&] { task.outcome = task.operation->run(context_, *task.request); });
  if (task.failure && task.failure->reason == reason::outcome_unknown) context_.drop_socket();
}

}  // namespace flintap
