#include "core/devices/open_queues.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/failure.h"
#include "core/system/system.h"

namespace flintap {

// Never destroyed: a thread may still close a queue while the process exits.
OpenQueues& OpenQueues::of_process() {
  static auto* queues = new OpenQueues;  // NOLINT(cppcoreguidelines-owning-memory)
  return *queues;
}

// In doubt it is: to leave it open would keep a guest's device, and a share of its frames.
bool OpenQueues::is_still(const Queue& queue) {
  struct stat node {};
  if (sys::fstat(queue.descriptor, node) < 0) return errno != EBADF;
  return file_of(node) == queue.file;
}

OpenQueues::File OpenQueues::file_of(const struct stat& node) {
  return {.type = node.st_mode & S_IFMT,
          .file_system = node.st_dev,
          .inode = node.st_ino,
          .device = node.st_rdev};
}

// A link that moves to another namespace may get another device number; its identity goes with it.
bool OpenQueues::is_of(const Queue& queue, dev_t device, const Link& link) {
  const std::string_view identity = link.identity();
  if (!identity.empty() && !queue.identity.empty()) return queue.identity == identity;
  return queue.file.device == device && queue.index == link.index;
}

void OpenQueues::remember(int queue, const Link& link) {
  struct stat node {};
  if (sys::fstat(queue, node) < 0) throw Failure::of_errno("look at the descriptor");
  std::erase_if(queues_, [&](const Queue& known) { return known.descriptor == queue; });
  queues_.push_back({.descriptor = queue,
                     .file = file_of(node),
                     .index = link.index.value_or(0),
                     .identity = std::string(link.identity()),
                     .owner = nullptr});
}

void OpenQueues::add(const Fd& queue, const Link& link) {
  const std::scoped_lock lock(mutex_);
  remember(queue.get(), link);
}

void OpenQueues::add_other(int descriptor) {
  const std::scoped_lock lock(mutex_);
  remember(descriptor, {});
}

Fd OpenQueues::add_first(dev_t device, const Link& link, const std::function<Fd()>& open) {
  const std::scoped_lock lock(mutex_);
  const bool taken = std::ranges::any_of(
      queues_, [&](const Queue& queue) { return is_of(queue, device, link) && is_still(queue); });
  if (taken) return {};
  Fd queue = open();
  remember(queue.get(), link);
  return queue;
}

void OpenQueues::hand_to(int descriptor, const void* owner) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(queues_, descriptor, &Queue::descriptor);
  if (found != queues_.end()) found->owner = owner;
}

void OpenQueues::close_all_of(const void* owner) {
  const std::scoped_lock lock(mutex_);
  for (const Queue& queue : queues_) {
    if (queue.owner == owner && is_still(queue)) sys::close(queue.descriptor);
  }
  std::erase_if(queues_, [&](const Queue& queue) { return queue.owner == owner; });
}

// The close itself waits for the kernel, so it is done without the lock.
void OpenQueues::close(int descriptor) {
  bool ours = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(queues_, descriptor, &Queue::descriptor);
    if (found == queues_.end()) return;
    ours = is_still(*found);
    queues_.erase(found);
  }
  if (ours) sys::close(descriptor);
}

bool OpenQueues::has(int descriptor) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(queues_, descriptor, &Queue::descriptor);
  return found != queues_.end() && is_still(*found);
}

void OpenQueues::forget(int descriptor) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(queues_, [&](const Queue& known) { return known.descriptor == descriptor; });
}

}  // namespace flintap
