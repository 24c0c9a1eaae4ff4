// The network namespaces in which this process has operation threads, and entering one.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/failure.h"
#include "core/system/fd.h"

namespace flintap {

// Held open: it lives on although its name is unmounted and its last process gone.
struct NetworkNamespace {
  Fd fd;
  // The number of its inode, as `lsns` shows it: no two that live have the same.
  std::int64_t id = 0;

  // That of the calling thread. Throws Failure where /proc does not show it.
  static std::shared_ptr<const NetworkNamespace> of_this_thread();
};

// Moves the calling thread, and it alone. Throws Failure "not-a-namespace", "no-permission".
void enter_network_namespace(int file, std::string_view label);

// Those that are open, whatever the thread: from them, an operation on one handle gets at the
// namespace of another.
class OpenNamespaces {
 public:
  static OpenNamespaces& of_process();

  // Known for as long as somebody holds it.
  void add(const std::shared_ptr<const NetworkNamespace>& opened);
  // Null when none of that number is open.
  std::shared_ptr<const NetworkNamespace> find(std::int64_t id);

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<const NetworkNamespace>> opened_;
};

}  // namespace flintap
