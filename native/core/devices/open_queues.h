// The queues that this process has handed out and that are not closed yet, whatever the thread; and
// other descriptors that are closed in the same way, such as those that came by a socket.
#pragma once

#include <sys/stat.h>
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
  // Remembers what need not be a queue, and is none that add_first looks for. Throws Failure.
  void add_other(int descriptor);
  // Opens and remembers a queue, unless one of that link is open here. Not valid then. Two threads
  // can't both be the first.
  Fd add_first(dev_t device, const Link& link, const std::function<Fd()>& open);

  // Whoever it was handed to. `close_all_of` closes what that owner has not closed.
  void hand_to(int descriptor, const void* owner);
  void close_all_of(const void* owner);

  // Closes a queue. Nothing happens to a descriptor that is none, or was closed behind our back
  // and is something else by now.
  void close(int descriptor);

  // Whether it is one of these, and still what it was.
  bool has(int descriptor);
  // Leaves it open, to whoever closes it from now on.
  void forget(int descriptor);

 private:
  struct File {
    mode_t type;
    dev_t file_system;
    ino_t inode;
    dev_t device;  // where it is a device node
    bool operator==(const File&) const = default;
  };
  struct Queue {
    int descriptor;
    File file;
    std::uint32_t index;
    std::string identity;
    const void* owner;
  };
  static bool is_still(const Queue& queue);
  static bool is_of(const Queue& queue, dev_t device, const Link& link);
  static File file_of(const struct stat& node);
  void remember(int queue, const Link& link);

  std::mutex mutex_;
  std::vector<Queue> queues_;
};

}  // namespace flintap
