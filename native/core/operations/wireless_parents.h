// Parents on which a guest would be cut off without a word: the access point of a wireless
// interface drops every frame that has another MAC than the interface's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "core/devices/sysfs.h"

namespace flintap {

class WirelessParents {
 public:
  // Looked up in sysfs the first time that a parent is seen. False where no sysfs of this namespace
  // can be had.
  bool has(const Link& parent) { return has(parent, Sysfs()); }
  // `sysfs` is used for this one look-up: a handle that only makes devices keeps none open.
  bool has(const Link& parent, Sysfs sysfs);

 private:
  std::set<std::pair<std::uint32_t, std::string>> wired_;
};

}  // namespace flintap
