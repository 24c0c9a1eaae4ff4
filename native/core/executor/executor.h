// One thread for one network namespace: runs operations in the order in which they were submitted.
//
// The thread opens its netlink socket itself, so that socket, /dev/net/tun and /proc/sys are all
// those of its namespace. It is used for nothing else.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/failure.h"
#include "core/operations/operation.h"

namespace flintap {

struct Task : Job {
  const Operation* operation = nullptr;  // null: ends the thread
  std::string text;                      // the request in JSON, until it begins
  std::optional<std::string> wrong;      // what is wrong with that
  std::uint32_t sends = 0;               // to the kernel; shared by those that ran together
  std::chrono::steady_clock::time_point submitted, begun, ended;
};

class Executor {
 public:
  // For those that ran together; on the operation thread, and must not throw.
  using OnDone = std::function<void(std::span<std::unique_ptr<Task>>)>;

  // For what went wrong with a task after it was done; on any thread, and must not throw.
  using OnLate = std::function<void(const Failure&)>;

  // Throws Failure when no thread can be had.
  Executor(OnDone on_done, OnLate on_late);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // From any thread. After a task without operation, nothing is taken any more.
  void submit(std::unique_ptr<Task> task);
  // So many at once that the thread finds them all, and can run them together.
  void submit(std::vector<std::unique_ptr<Task>> tasks);

  // Ends the thread after the operation that runs now, which is undone if it can be; what is queued
  // is dropped. `stop` waits for it; of many threads, each is told before the first is waited for.
  void tell_to_stop() { stopping_ = true; }
  void stop();

 private:
  void work();
  void run_all();
  // `tasks` are calls of one operation.
  void run(std::span<const std::unique_ptr<Task>> tasks);
  void run_alone(Task& task);
  std::vector<std::unique_ptr<Task>> take_all();

  OnDone on_done_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Task>> queue_;
  // Counts submissions. Waiting on it takes no condition variable, which would have to outlive the
  // thread, and no descriptor.
  std::atomic<std::uint32_t> submissions_{0};
  std::atomic<bool> stopping_{false};
  Context context_;  // the operation thread's alone
  std::thread thread_;
};

}  // namespace flintap
