#include "core/devices/sysfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/devices/detached_mount.h"
#include "core/failure.h"
#include "core/system/system.h"

namespace flintap {
namespace {

std::string path_of(const Link& link, const std::string& file) {
  return "class/net/" + link.name.value_or("") + "/" + file;
}

Failure cannot_read(const char* step, const Link& link) {
  const int error = errno;
  const bool none = error == ENOENT || error == EPERM || error == EACCES;
  return {error, none ? reason::sysfs_foreign : reason::kernel, step, link.name.value_or("")};
}

}  // namespace

std::optional<std::string> Sysfs::read(const Link& link, const std::string& file) {
  find(link);
  return sys::read_small_file(root_.get(), path_of(link, file).c_str());
}

bool Sysfs::is_wireless(const Link& link) {
  find(link);
  if (sys::faccessat(root_.get(), path_of(link, "phy80211").c_str(), F_OK) == 0) return true;
  if (errno != ENOENT) throw cannot_read("look for a wireless interface in /sys", link);
  return false;
}

void Sysfs::find(const Link& link) {
  if (!root_.valid()) open(link);
  if (borrowed_) check_is_ours(link);
}

void Sysfs::open(const Link& link) {
  root_ = detached_mount("sysfs");
  if (root_.valid()) return;
  root_ = sys::open("/sys", O_PATH | O_DIRECTORY);
  if (!root_.valid()) throw cannot_read("open /sys", link);
  borrowed_ = true;
}

// There is no way to ask a mounted sysfs for its namespace. A link of ours has a random index and a
// tag, so another namespace's link that has the same index, address and alias is no accident.
void Sysfs::check_is_ours(const Link& link) const {
  const auto is = [&](const char* file, const std::string& expected) {
    const auto there = sys::read_small_file(root_.get(), path_of(link, file).c_str());
    if (!there && errno != ENOENT) throw cannot_read("find the link in /sys", link);
    return there == expected;
  };
  if (!is("ifindex", std::to_string(link.index.value_or(0))) ||
      !is("address", link.mac ? link.mac->format() : "") ||
      !is("ifalias", link.alias.value_or(""))) {
    throw Failure(0, reason::sysfs_foreign, "find the link in /sys", link.name.value_or(""));
  }
}

}  // namespace flintap
