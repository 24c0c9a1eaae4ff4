#include "core/devices/network_namespace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/system/system.h"

namespace flintap {

std::shared_ptr<const NetworkNamespace> NetworkNamespace::of_this_thread() {
  auto opened = std::make_shared<NetworkNamespace>();
  constexpr const char* path = "/proc/thread-self/ns/net";
  opened->fd = sys::open(path, O_RDONLY);
  struct stat file {};
  if (!opened->fd.valid() || sys::fstat(opened->fd.get(), file) < 0) {
    throw Failure::of_errno("find the network namespace", path);
  }
  opened->id = static_cast<std::int64_t>(file.st_ino);
  return opened;
}

void enter_network_namespace(int file, std::string_view label) {
  if (sys::set_network_namespace(file) == 0) return;
  Failure failure = Failure::of_errno("enter the network namespace", label);
  if (failure.error == EINVAL || failure.error == EBADF) {
    failure.reason = reason::not_a_namespace;
  }
  throw failure;
}

// Never destroyed: a thread may still look while the process exits.
OpenNamespaces& OpenNamespaces::of_process() {
  static auto* namespaces = new OpenNamespaces;  // NOLINT(cppcoreguidelines-owning-memory)
  return *namespaces;
}

void OpenNamespaces::add(const std::shared_ptr<const NetworkNamespace>& opened) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(opened_, [](const auto& known) { return known.expired(); });
  opened_.push_back(opened);
}

std::shared_ptr<const NetworkNamespace> OpenNamespaces::find(std::int64_t id) {
  const std::scoped_lock lock(mutex_);
  for (const auto& known : opened_) {
    auto opened = known.lock();
    if (opened && opened->id == id) return opened;
  }
  return nullptr;
}

}  // namespace flintap
