#include "core/executor/executor.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "core/json/record_json.h"
#include "core/system/native_thread.h"
#include "core/system/seam.h"

namespace flintap {

Executor::Executor(OnDone on_done, OnLate on_late) : on_done_(std::move(on_done)) {
  context_.ending = &stopping_;
  context_.report_late = std::move(on_late);
  thread_ = start_thread("flintap", [this] { work(); });
}

Executor::~Executor() { stop(); }

void Executor::submit(std::unique_ptr<Task> task) {
  std::vector<std::unique_ptr<Task>> tasks;
  tasks.push_back(std::move(task));
  submit(std::move(tasks));
}

void Executor::submit(std::vector<std::unique_ptr<Task>> tasks) {
  const auto now = std::chrono::steady_clock::now();
  for (const auto& task : tasks) task->submitted = now;
  {
    const std::scoped_lock lock(mutex_);
    std::ranges::move(tasks, std::back_inserter(queue_));
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

std::vector<std::unique_ptr<Task>> Executor::take_all() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(queue_, {});
}

void Executor::work() {
  run_all();
  context_ = Context();
}

namespace {

// How many of the first run together: calls of the same operation, if it can do that.
std::size_t together(std::span<const std::unique_ptr<Task>> tasks) {
  const Operation* operation = tasks.front()->operation;
  if (operation == nullptr || operation->run_together == nullptr) return 1;
  const auto most = tasks.first(std::min(tasks.size(), operation->most_together));
  const auto other =
      std::ranges::find_if(most, [&](const auto& task) { return task->operation != operation; });
  return static_cast<std::size_t>(other - most.begin());
}

}  // namespace

void Executor::run_all() {
  for (;;) {
    const std::uint32_t seen = submissions_;
    auto tasks = take_all();
    std::span<std::unique_ptr<Task>> left(tasks);
    while (!left.empty()) {
      if (stopping_) return;
      const auto next = left.first(together(left));
      const bool last = next.front()->operation == nullptr;
      // Here the end of what works for this thread is waited for; who is told of it waits no more.
      if (last) context_ = Context();
      if (!last) run(next);
      on_done_(next);
      if (last) return;
      left = left.subspan(next.size());
    }
    if (stopping_) return;
    if (tasks.empty()) submissions_.wait(seen);
  }
}

namespace {

// On the operation thread, since it would hold up JavaScript's.
void read_request(Task& task) {
  if (task.request) return;
  task.failure = failure_of("read the request", [&] {
    auto request = task.operation->request->make();
    try {
      read_json(task.text, *request, *task.operation->request, std::string(task.operation->name));
      task.request = std::move(request);
    } catch (const WrongJson& error) {
      task.wrong = error.what();
    }
  });
}

// Whether the task is to run.
bool begins(Task& task) {
  if (!task.cancellation.begin()) {
    task.failure.emplace(ECANCELED, reason::aborted, "begin");
    return false;
  }
  read_request(task);
  return !task.wrong && !task.failure;
}

}  // namespace

void Executor::run(std::span<const std::unique_ptr<Task>> tasks) {
  const seam::Scope counted;
  const std::uint32_t sends_before = context_.sends();
  const auto begun = std::chrono::steady_clock::now();
  std::vector<Job*> wanted;
  for (const auto& task : tasks) {
    task->begun = begun;
    if (begins(*task)) wanted.push_back(task.get());
  }
  const auto run_together = tasks.front()->operation->run_together;
  if (!wanted.empty() && run_together != nullptr) {
    run_together(context_, wanted);
  } else if (!wanted.empty()) {
    run_alone(*tasks.front());
  }
  const auto lost = [](const auto& task) {
    return task->failure && task->failure->reason == reason::outcome_unknown;
  };
  if (std::ranges::any_of(tasks, lost)) context_.drop_socket();
  for (const auto& task : tasks) {
    task->ended = std::chrono::steady_clock::now();
    task->sends = context_.sends() - sends_before;
  }
}

void Executor::run_alone(Task& task) {
  context_.cancellation = &task.cancellation;
  task.failure = failure_of("run the operation",
                            [&] { task.outcome = task.operation->run(context_, *task.request); });
  context_.cancellation = nullptr;
}

}  // namespace flintap
