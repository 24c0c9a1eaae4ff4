// The queues that this process has handed out and that are not closed yet, whatever the thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/link/link.h"
#include "core/system/fd.h"

namespace flintap {

class OpenQueues {
 public:
  static OpenQueues& of_process();

  // Remembers a queue of the link. Throws Failure.
  void add(const Fd& queue, const Link& link);
  // Opens and remembers a queue, unless one of that link is open here. Not valid then. Two threads
  // can't both be the first.
  Fd add_first(dev_t device, const Link& link, const std::function<Fd()>& open);

  // Whoever it was handed to. `close_all_of` closes what that owner has not closed.
  void hand_to(int descriptor, const void* owner);
  void close_all_of(const void* owner);

  // Closes a queue. Nothing happens to a descriptor that is none, or was closed behind our back
  // and is something else by now.
  void close(int descriptor);

 private:
  struct Queue {
    int descriptor;
    dev_t device;
    std::uint32_t index;
    std::string identity;
    const void* owner;
  };
  static bool is_still(const Queue& queue);
  static bool is_of(const Queue& queue, dev_t device, const Link& link);
  void remember(const Fd& queue, dev_t device, const Link& link);

  std::mutex mutex_;
  std::vector<Queue> queues_;
};

}  // namespace flintap
