// What an executor has done.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/executor/executor.h"

namespace flintap::tests {

// The tasks that came back, in their order.
class Finished {
 public:
  void add(std::span<std::unique_ptr<Task>> tasks) {
    const std::scoped_lock lock(mutex_);
    std::ranges::move(tasks, std::back_inserter(tasks_));
    changed_.notify_all();
  }
  std::vector<std::unique_ptr<Task>> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tasks_.size() >= count; });
    return std::exchange(tasks_, {});
  }
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return tasks_.size();
  }
  Executor::OnDone callback() {
    return [this](auto tasks) { add(tasks); };
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace flintap::tests
