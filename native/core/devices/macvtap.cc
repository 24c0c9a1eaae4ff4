#include "core/devices/macvtap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/devices/detached_mount.h"
#include "core/failure.h"
#include "core/system/system.h"

namespace flintap::macvtap {
namespace {

constexpr int kOpenFlags = O_RDWR | O_NONBLOCK;
constexpr const char* kNodeName = "queue";
constexpr mode_t kNodeMode = S_IFCHR | S_IRUSR | S_IWUSR;

struct OpenQueue {
  int descriptor;
  dev_t device;
  std::uint32_t index;
};

// Which queues this process has open, whatever the thread. Never destroyed: a thread may still
// close a queue while the process exits.
struct OpenQueues {
  std::mutex mutex;
  std::vector<OpenQueue> queues;
};

OpenQueues& open_queues() {
  static auto* queues = new OpenQueues;  // NOLINT(cppcoreguidelines-owning-memory)
  return *queues;
}

std::string device_name(const Link& link) { return link.name.value_or(""); }

// "247:5" in /sys/class/net/<name>/macvtap/tap<index>/dev.
dev_t device_number(const Link& link, Sysfs& sysfs) {
  const std::string tap = "tap" + std::to_string(link.index.value_or(0));
  const std::string text = sysfs.read(link, "macvtap/" + tap + "/dev");
  unsigned major_number = 0;
  unsigned minor_number = 0;
  const char* end = text.data() + text.size();
  const auto major_end = std::from_chars(text.data(), end, major_number);
  if (major_end.ec != std::errc() || major_end.ptr == end || *major_end.ptr != ':' ||
      std::from_chars(major_end.ptr + 1, end, minor_number).ec != std::errc()) {
    throw Failure(ENODEV, reason::no_such_link, "read the device number in sysfs",
                  device_name(link));
  }
  return makedev(major_number, minor_number);
}

bool is_device(const struct stat& node, dev_t device) {
  return S_ISCHR(node.st_mode) && node.st_rdev == device;
}

Failure cannot_open(const Link& link) {
  const int error = errno;
  const bool refused = error == EPERM || error == EACCES;
  return {error, refused ? reason::device_not_allowed : reason::kernel, "open the queue",
          device_name(link)};
}

// Looks before it opens: opening another guest's node would take a share of its frames.
Fd open_shared_node(const Link& link, dev_t device) {
  const std::string path = "/dev/tap" + std::to_string(link.index.value_or(0));
  struct stat node {};
  if (sys::stat(path.c_str(), node) < 0 || !is_device(node, device)) return {};
  Fd queue = sys::open(path.c_str(), kOpenFlags);
  if (!queue.valid()) throw cannot_open(link);
  if (sys::fstat(queue.get(), node) < 0 || !is_device(node, device)) return {};
  return queue;
}

Fd make_and_open(int directory, const Link& link, dev_t device) {
  if (sys::mknodat(directory, kNodeName, kNodeMode, device) < 0) {
    const int error = errno;
    throw Failure(error, error == EPERM ? reason::mknod_not_allowed : reason::kernel,
                  "make a device node", device_name(link));
  }
  Fd queue = sys::openat(directory, kNodeName, kOpenFlags);
  if (!queue.valid()) throw cannot_open(link);
  return queue;
}

// A directory in /dev, for a process that may mknod but not mount. Removed with what is in it.
class PrivateDirectory {
 public:
  explicit PrivateDirectory(const Link& link) {
    std::array<std::byte, 8> random{};
    if (sys::random(random) < 0) throw Failure::of_errno("draw a random name");
    path_ = "/dev/.flintap-";
    for (const std::byte octet : random) path_ += std::to_string(std::to_integer<int>(octet));
    if (sys::mkdir(path_.c_str(), S_IRWXU) < 0) {
      throw Failure(errno, reason::mknod_not_allowed, "make a directory for a device node",
                    device_name(link));
    }
    directory_ = sys::open(path_.c_str(), O_PATH | O_DIRECTORY);
  }
  ~PrivateDirectory() {
    remove(kNodeName, 0);
    directory_.reset();
    remove(nullptr, AT_REMOVEDIR);
  }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  [[nodiscard]] int get() const { return directory_.get(); }

 private:
  // A second try: what is left here is a node that opens another device once its number is reused.
  void remove(const char* entry, int flags) const {
    const std::string path = entry == nullptr ? path_ : path_ + "/" + entry;
    for (int tries = 0; tries < 2; ++tries) {
      if (sys::unlinkat(AT_FDCWD, path.c_str(), flags) == 0 || errno == ENOENT) return;
    }
  }

  std::string path_;
  Fd directory_;
};

Fd open_private_node(const Link& link, dev_t device) {
  if (const Fd nowhere = detached_mount("tmpfs"); nowhere.valid()) {
    return make_and_open(nowhere.get(), link, device);
  }
  const PrivateDirectory directory(link);
  return make_and_open(directory.get(), link, device);
}

// A descriptor that was closed behind our back no longer counts.
bool still_open(const OpenQueue& queue) {
  struct stat node {};
  return sys::fstat(queue.descriptor, node) == 0 && is_device(node, queue.device);
}

bool is_open_here(const OpenQueues& known, const Link& link, dev_t device) {
  return std::ranges::any_of(known.queues, [&](const OpenQueue& queue) {
    return queue.device == device && queue.index == link.index && still_open(queue);
  });
}

}  // namespace

Fd open_queue(const Link& link, Sysfs& sysfs, bool additional) {
  const dev_t device = device_number(link, sysfs);
  OpenQueues& known = open_queues();
  // Held while the node is opened, so that two handles of one process can't both be the first.
  const std::scoped_lock lock(known.mutex);
  if (!additional && is_open_here(known, link, device)) {
    throw Failure(0, reason::queue_already_open, "open the queue", device_name(link));
  }
  Fd queue = open_shared_node(link, device);
  if (!queue.valid()) queue = open_private_node(link, device);
  known.queues.push_back({queue.get(), device, link.index.value_or(0)});
  return queue;
}

void close_queue(int descriptor) {
  OpenQueues& known = open_queues();
  {
    const std::scoped_lock lock(known.mutex);
    std::erase_if(known.queues,
                  [&](const OpenQueue& queue) { return queue.descriptor == descriptor; });
  }
  sys::close(descriptor);
}

}  // namespace flintap::macvtap
