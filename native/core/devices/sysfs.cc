#include "core/devices/sysfs.h"

#include <fcntl.h>

#include "core/devices/detached_mount.h"
#include "core/failure.h"
#include "core/system/system.h"

namespace flintap {
namespace {

std::string path_of(const Link& link, const std::string& file) {
  return "class/net/" + link.name.value_or("") + "/" + file;
}

}  // namespace

std::optional<std::string> Sysfs::read(const Link& link, const std::string& file) {
  if (!root_.valid()) open();
  if (borrowed_) check_is_ours(link);
  return sys::read_small_file(root_.get(), path_of(link, file).c_str());
}

void Sysfs::open() {
  root_ = detached_mount("sysfs");
  if (root_.valid()) return;
  root_ = sys::open("/sys", O_PATH | O_DIRECTORY);
  if (!root_.valid()) throw Failure(errno, reason::sysfs_foreign, "open /sys");
  borrowed_ = true;
}

// There is no way to ask a mounted sysfs for its namespace. A link of ours has a random index and a
// tag, so another namespace's link that has the same index, address and alias is no accident.
void Sysfs::check_is_ours(const Link& link) const {
  const auto is = [&](const char* file, const std::string& expected) {
    return sys::read_small_file(root_.get(), path_of(link, file).c_str()) == expected;
  };
  if (!is("ifindex", std::to_string(link.index.value_or(0))) ||
      !is("address", link.mac ? link.mac->format() : "") ||
      !is("ifalias", link.alias.value_or(""))) {
    throw Failure(0, reason::sysfs_foreign, "find the link in /sys", link.name.value_or(""));
  }
}

}  // namespace flintap
