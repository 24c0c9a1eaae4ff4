#include "core/devices/tun.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "core/failure.h"
#include "core/system/system.h"

namespace flintap::tun {
namespace {

constexpr const char* kNode = "/dev/net/tun";

Failure cannot_open(const std::string& name) {
  const int error = errno;
  const bool missing =
      error == ENOENT || error == ENOTDIR || error == EISDIR || error == ENXIO || error == ENODEV;
  const bool refused = error == EACCES || error == EPERM;
  return {error,
          missing   ? reason::tun_device_missing
          : refused ? reason::tun_not_allowed
                    : reason::kernel,
          "open /dev/net/tun", name};
}

Failure cannot_set(const char* step, const std::string& name) {
  const int error = errno;
  return {error,
          error == EPERM    ? reason::no_permission
          : error == EBUSY  ? reason::tap_held
          : error == E2BIG  ? reason::too_many_queues
          : error == ENOTTY ? reason::tun_device_missing  // Another file has its name.
                            : reason::kernel,
          step, name};
}

Fd open_node(const std::string& name) {
  Fd queue = sys::open(kNode, O_RDWR | O_NONBLOCK);
  if (!queue.valid()) throw cannot_open(name);
  return queue;
}

ifreq interface_request(const std::string& name, const QueueFlags& flags, int extra) {
  ifreq request{};
  std::copy_n(name.begin(), std::min(name.size(), sizeof request.ifr_name - 1), request.ifr_name);
  request.ifr_flags = static_cast<short>(IFF_TAP | (flags.packet_information ? 0 : IFF_NO_PI) |
                                         (flags.vnet_header ? IFF_VNET_HDR : 0) |
                                         (flags.multi_queue ? IFF_MULTI_QUEUE : 0) | extra);
  return request;
}

void set(const Fd& queue, unsigned long request, std::uint32_t value, const char* step,
         const std::string& name) {
  if (sys::ioctl_value(queue.get(), request, value) < 0) throw cannot_set(step, name);
}

}  // namespace

Fd create(const TapSettings& tap) {
  Fd queue = open_node(tap.name);
  if (tap.index) {
    std::uint32_t index = *tap.index;
    if (sys::ioctl(queue.get(), TUNSETIFINDEX, &index) < 0) {
      throw cannot_set("choose the index", tap.name);
    }
  }
  // Without IFF_TUN_EXCL the kernel attaches to an existing tap: two guests on one device.
  ifreq request =
      interface_request(tap.name, tap.flags, IFF_TUN_EXCL | (tap.carrier ? 0 : IFF_NO_CARRIER));
  if (sys::ioctl(queue.get(), TUNSETIFF, &request) < 0) {
    Failure failure = cannot_set("create", tap.name);
    if (failure.error == EBUSY) {
      failure.error = EEXIST;
      failure.reason = reason::name_taken;
    }
    throw failure;
  }
  if (tap.vnet_header_size) {
    int size = static_cast<int>(*tap.vnet_header_size);
    if (sys::ioctl(queue.get(), TUNSETVNETHDRSZ, &size) < 0) {
      throw cannot_set("set the size of the virtio-net header", tap.name);
    }
  }
  if (tap.uid) set(queue, TUNSETOWNER, *tap.uid, "set the owning user", tap.name);
  if (tap.gid) set(queue, TUNSETGROUP, *tap.gid, "set the owning group", tap.name);
  return queue;
}

Fd open_queue(const std::string& name, const QueueFlags& flags) {
  Fd queue = open_node(name);
  ifreq request = interface_request(name, flags, 0);
  if (sys::ioctl(queue.get(), TUNSETIFF, &request) < 0) throw cannot_set("attach to the tap", name);
  return queue;
}

void make_persistent(const Fd& queue, const std::string& name) {
  set(queue, TUNSETPERSIST, 1, "make the tap persistent", name);
}

}  // namespace flintap::tun
