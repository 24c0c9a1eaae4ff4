#include "core/operations/wireless_parents.h"

#include "core/failure.h"

namespace flintap {
namespace {

// Far more than a machine has interfaces; what comes and goes is forgotten.
constexpr std::size_t kMostKnown = 256;

}  // namespace

bool WirelessParents::has(const Link& parent, Sysfs sysfs) try {
  // What software made is none.
  if (!parent.kind.value_or("").empty()) return false;
  const std::pair known(parent.index.value_or(0), parent.name.value_or(""));
  if (wired_.contains(known)) return false;
  if (sysfs.is_wireless(parent)) return true;
  if (wired_.size() == kMostKnown) wired_.clear();
  wired_.insert(known);
  return false;
} catch (const Failure&) {
  return false;
}

}  // namespace flintap
