// /sys/class/net of the calling thread's network namespace. The /sys that is mounted shows the
// namespace in which somebody mounted it, and setns does not change that.
#pragma once

#include <optional>
#include <string>

#include "core/link/link.h"
#include "core/system/fd.h"

namespace flintap {

class Sysfs {
 public:
  Sysfs() = default;
  // One that was opened already.
  explicit Sysfs(Fd root) : root_(std::move(root)) {}

  // A file below /sys/class/net/<name of the link>/, without its last newline; nothing, with errno
  // set, where it can't be read.
  // Throws Failure "sysfs-foreign" where no sysfs of this namespace can be had for that link.
  std::optional<std::string> read(const Link& link, const std::string& file);

  // Whether the link is a wireless interface (one of cfg80211's).
  // Throws Failure as `read` does, and where that can't be told.
  bool is_wireless(const Link& link);

 private:
  void find(const Link& link);
  void open(const Link& link);
  void check_is_ours(const Link& link) const;

  Fd root_;
  bool borrowed_ = false;  // the mounted /sys
};

}  // namespace flintap
