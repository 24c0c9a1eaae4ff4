#include "core/devices/macvtap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

#include "core/devices/detached_mount.h"
#include "core/devices/open_queues.h"
#include "core/failure.h"
#include "core/system/system.h"

namespace flintap::macvtap {
namespace {

constexpr int kOpenFlags = O_RDWR | O_NONBLOCK;
constexpr const char* kReadNumber = "read the device number in sysfs";
constexpr mode_t kNodeMode = S_IFCHR | S_IRUSR | S_IWUSR;

std::string device_name(const Link& link) { return link.name.value_or(""); }

bool is_device(const struct stat& node, dev_t device) {
  return S_ISCHR(node.st_mode) && node.st_rdev == device;
}

Failure cannot_open(const Link& link) {
  const int error = errno;
  const bool refused = error == EPERM || error == EACCES;
  return {error,
          refused          ? reason::device_not_allowed
          : error == EBUSY ? reason::too_many_queues
                           : reason::kernel,
          "open the queue", device_name(link)};
}

// Looks before it opens: opening another guest's node would take a share of its frames.
Fd open_shared_node(const Link& link, dev_t device) {
  const std::string path = "/dev/" + node_name(link);
  struct stat node {};
  if (sys::stat(path.c_str(), node) < 0 || !is_device(node, device)) return {};
  Fd queue = sys::open(path.c_str(), kOpenFlags);
  if (!queue.valid()) throw cannot_open(link);
  if (sys::fstat(queue.get(), node) < 0 || !is_device(node, device)) return {};
  return queue;
}

Failure cannot_make(const char* step, const Link& link) {
  const int error = errno;
  const bool refused = error == EPERM || error == EACCES || error == EROFS;
  return {error, refused ? reason::mknod_not_allowed : reason::kernel, step, device_name(link)};
}

Fd make_and_open(int directory, const Link& link, dev_t device) {
  const std::string name = node_name(link);
  if (sys::mknodat(directory, name.c_str(), kNodeMode, device) < 0) {
    throw cannot_make("make a device node", link);
  }
  Fd queue = sys::openat(directory, name.c_str(), kOpenFlags);
  if (!queue.valid()) throw cannot_open(link);
  return queue;
}

// A directory in /dev, for a process that may mknod but not mount.
class PrivateDirectory {
 public:
  explicit PrivateDirectory(const Link& link) : node_(node_name(link)) {
    std::array<std::byte, 8> random{};
    if (sys::random(random) < 0) throw Failure::of_errno("draw a random name");
    path_ = "/dev/.flintap-";
    for (const std::byte octet : random) path_ += std::to_string(std::to_integer<int>(octet));
    if (sys::mkdir(path_.c_str(), S_IRWXU) < 0) {
      throw cannot_make("make a directory for a device node", link);
    }
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] Fd open(const Link& link) const {
    Fd directory = sys::open(path_.c_str(), O_PATH | O_DIRECTORY);
    if (!directory.valid()) {
      throw Failure::of_errno("open the directory of a device node", device_name(link));
    }
    return directory;
  }

  // Whether it is gone, with what is in it; errno where it is not.
  [[nodiscard]] bool remove() const {
    const std::string node = path_ + "/" + node_;
    return gone(node, 0) && gone(path_, AT_REMOVEDIR);
  }

 private:
  // Tries again: a node that stays opens another device once its number is reused.
  static bool gone(const std::string& path, int flags) {
    constexpr int kTries = 3;
    for (int tries = 0; tries < kTries; ++tries) {
      if (sys::unlinkat(AT_FDCWD, path.c_str(), flags) == 0 || errno == ENOENT) return true;
    }
    return false;
  }

  std::string node_;
  std::string path_;
};

Fd open_in_private_directory(const Link& link, dev_t device) {
  const PrivateDirectory directory(link);
  try {
    Fd queue = make_and_open(directory.open(link).get(), link, device);
    if (directory.remove()) return queue;
    throw Failure::of_errno("remove a device node", device_name(link));
  } catch (Failure& failure) {
    if (!directory.remove()) failure.left_behind.push_back(directory.path());
    throw;
  }
}

Fd open_private_node(const Link& link, dev_t device) {
  const Fd nowhere = detached_mount("tmpfs");
  return nowhere.valid() ? make_and_open(nowhere.get(), link, device)
                         : open_in_private_directory(link, device);
}

}  // namespace

std::string node_name(const Link& link) { return "tap" + std::to_string(link.index.value_or(0)); }

// "247:5" in /sys/class/net/<name>/macvtap/tap<index>/dev.
dev_t device_number(const Link& link, Sysfs& sysfs) {
  const auto text = sysfs.read(link, "macvtap/" + node_name(link) + "/dev");
  if (!text) {
    const int error = errno == ENOENT ? ENODEV : errno;
    throw Failure(error, error == ENODEV ? reason::no_such_link : reason::kernel, kReadNumber,
                  device_name(link));
  }
  unsigned major_number = 0;
  unsigned minor_number = 0;
  const char* end = text->data() + text->size();
  const auto major_end = std::from_chars(text->data(), end, major_number);
  if (major_end.ec != std::errc() || major_end.ptr == end || *major_end.ptr != ':' ||
      std::from_chars(major_end.ptr + 1, end, minor_number).ec != std::errc()) {
    throw Failure(EBADMSG, reason::kernel, kReadNumber, device_name(link));
  }
  return makedev(major_number, minor_number);
}

Fd open_queue(const Link& link, Sysfs& sysfs, bool additional) {
  const dev_t device = device_number(link, sysfs);
  const auto open = [&] {
    Fd queue = open_shared_node(link, device);
    return queue.valid() ? std::move(queue) : open_private_node(link, device);
  };
  OpenQueues& known = OpenQueues::of_process();
  if (additional) {
    Fd queue = open();
    known.add(queue, link);
    return queue;
  }
  Fd queue = known.add_first(device, link, open);
  if (!queue.valid()) {
    throw Failure(0, reason::queue_already_open, "open the queue", device_name(link));
  }
  return queue;
}

}  // namespace flintap::macvtap
