#include "core/system/system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/system/seam.h"

namespace flintap {

void Fd::reset() noexcept {
  if (number_ >= 0) sys::close(std::exchange(number_, -1));
}

namespace sys {
namespace {

// linux/mount.h and sys/mount.h of Debian 12 can't be included together; fsconfig(2) gives these.
constexpr unsigned int kFsconfigCreate = 6;
constexpr unsigned int kFsopenCloexec = 1;
constexpr unsigned int kFsmountCloexec = 1;

template <class Call>
auto through(const char* name, Call call) -> decltype(call()) {
  if constexpr (seam::enabled) {
    if (seam::strikes(name)) return -1;
  }
  return call();
}

template <class Call>
auto interruptible(const char* name, Call call) -> decltype(call()) {
  auto result = through(name, call);
  while (result == -1 && errno == EINTR) result = through(name, call);
  return result;
}

int set_timeout(int fd, int name, const timeval& timeout) {
  return through("setsockopt",
                 [&] { return ::setsockopt(fd, SOL_SOCKET, name, &timeout, sizeof timeout); });
}

Fd raw_fd(long number) { return Fd(static_cast<int>(number)); }

}  // namespace

Fd open(const char* path, int flags) { return openat(AT_FDCWD, path, flags); }

Fd openat(int directory, const char* path, int flags) {
  return Fd(interruptible("openat", [&] { return ::openat(directory, path, flags | O_CLOEXEC); }));
}

// Not interruptible: Linux frees the number even when close says EINTR. A fault injected here is
// one reported after the fact, as close(2) has it, so the descriptor is gone all the same.
int close(int fd) noexcept {
  const int result = ::close(fd);
  if constexpr (seam::enabled) {
    if (seam::strikes("close")) return -1;
  }
  return result;
}

ssize_t read(int fd, std::span<std::byte> into) {
  return interruptible("read", [&] { return ::read(fd, into.data(), into.size()); });
}

ssize_t write(int fd, std::span<const std::byte> from) {
  return interruptible("write", [&] { return ::write(fd, from.data(), from.size()); });
}

int set_close_on_exec(int fd) {
  return through("fcntl", [&] { return ::fcntl(fd, F_SETFD, FD_CLOEXEC); });
}

int fstat(int fd, struct stat& into) {
  return through("fstat", [&] { return ::fstat(fd, &into); });
}

int stat(const char* path, struct stat& into) {
  return through("stat", [&] { return ::stat(path, &into); });
}

int faccessat(int directory, const char* path, int mode) {
  return through("faccessat", [&] { return ::faccessat(directory, path, mode, 0); });
}

int ioctl(int fd, unsigned long request, void* argument) {
  return interruptible("ioctl", [&] { return ::ioctl(fd, request, argument); });
}

int ioctl_value(int fd, unsigned long request, unsigned long argument) {
  return interruptible("ioctl", [&] { return ::ioctl(fd, request, argument); });
}

Fd socket(int domain, int type, int protocol) {
  return Fd(through("socket", [&] { return ::socket(domain, type | SOCK_CLOEXEC, protocol); }));
}

int setsockopt(int fd, int level, int name, int value) {
  return through("setsockopt", [&] { return ::setsockopt(fd, level, name, &value, sizeof value); });
}

int getsockopt(int fd, int level, int name, int& value) {
  return through("getsockopt", [&] {
    socklen_t length = sizeof value;
    return ::getsockopt(fd, level, name, &value, &length);
  });
}

int set_receive_timeout(int fd, const timeval& timeout) {
  return set_timeout(fd, SO_RCVTIMEO, timeout);
}

int set_send_timeout(int fd, const timeval& timeout) {
  return set_timeout(fd, SO_SNDTIMEO, timeout);
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  return through("connect", [&] { return ::connect(fd, address, length); });
}

int socket_pair(int domain, int type, std::array<Fd, 2>& into) {
  std::array<int, 2> ends{};
  const int result = through(
      "socketpair", [&] { return ::socketpair(domain, type | SOCK_CLOEXEC, 0, ends.data()); });
  if (result == 0) into = {Fd(ends[0]), Fd(ends[1])};
  return result;
}

int bind(int fd, const sockaddr* address, socklen_t length) {
  return through("bind", [&] { return ::bind(fd, address, length); });
}

int getsockname(int fd, sockaddr* address, socklen_t& length) {
  return through("getsockname", [&] { return ::getsockname(fd, address, &length); });
}

ssize_t sendmsg(int fd, const msghdr& message, int flags) {
  return interruptible("sendmsg", [&] { return ::sendmsg(fd, &message, flags); });
}

ssize_t recvmsg(int fd, msghdr& message, int flags) {
  return interruptible("recvmsg", [&] { return ::recvmsg(fd, &message, flags); });
}

int recvmmsg(int fd, std::span<mmsghdr> messages, int flags) {
  return interruptible("recvmmsg", [&] {
    return ::recvmmsg(fd, messages.data(), static_cast<unsigned int>(messages.size()),
                      flags | MSG_WAITFORONE, nullptr);
  });
}

ssize_t peek_length(int fd, int flags) {
  return interruptible("recvmsg",
                       [&] { return ::recv(fd, nullptr, 0, MSG_PEEK | MSG_TRUNC | flags); });
}

int poll(std::span<pollfd> sources, int timeout) {
  return interruptible("poll", [&] { return ::poll(sources.data(), sources.size(), timeout); });
}

Fd event_fd() {
  return Fd(through("eventfd2", [&] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }));
}

int mknodat(int directory, const char* path, mode_t mode, dev_t device) {
  return through("mknodat", [&] { return ::mknodat(directory, path, mode, device); });
}

int mkdir(const char* path, mode_t mode) {
  return through("mkdir", [&] { return ::mkdir(path, mode); });
}

int unlinkat(int directory, const char* path, int flags) {
  return through("unlinkat", [&] { return ::unlinkat(directory, path, flags); });
}

int set_network_namespace(int fd) {
  return through("setns", [&] { return ::setns(fd, CLONE_NEWNET); });
}

Fd fsopen(const char* type) {
  return raw_fd(through("fsopen", [&] { return ::syscall(SYS_fsopen, type, kFsopenCloexec); }));
}

int fsconfig_create(int filesystem) {
  return static_cast<int>(through("fsconfig", [&] {
    return ::syscall(SYS_fsconfig, filesystem, kFsconfigCreate, nullptr, nullptr, 0);
  }));
}

Fd fsmount(int filesystem) {
  return raw_fd(
      through("fsmount", [&] { return ::syscall(SYS_fsmount, filesystem, kFsmountCloexec, 0); }));
}

int random(std::span<std::byte> into) {
  const ssize_t got =
      interruptible("getrandom", [&] { return ::getrandom(into.data(), into.size(), 0); });
  return got == static_cast<ssize_t>(into.size()) ? 0 : -1;
}

std::optional<std::string> read_small_file(int directory, const char* path) {
  Fd file = openat(directory, path, O_RDONLY);
  if (!file.valid()) return std::nullopt;
  std::array<std::byte, 4096> buffer{};
  const ssize_t length = read(file.get(), buffer);
  if (length < 0) {
    const int error = errno;
    file.reset();
    errno = error;
    return std::nullopt;
  }
  std::string text(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(length));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::optional<std::string> read_symbolic_link(const char* path) {
  std::array<char, 4096> target{};
  const ssize_t length =
      through("readlink", [&] { return ::readlink(path, target.data(), target.size()); });
  if (length < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(length));
}

std::optional<std::vector<std::string>> list_directory(const char* path, std::size_t most) {
  const Fd directory = open(path, O_RDONLY | O_DIRECTORY);
  if (!directory.valid()) return std::nullopt;
  std::vector<std::string> names;
  constexpr std::size_t kRoom = 32'768;
  alignas(dirent64) std::array<std::byte, kRoom> entries{};
  while (names.size() < most) {
    const ssize_t length = through("getdents64", [&] {
      return ::getdents64(directory.get(), entries.data(), entries.size());
    });
    if (length < 0) return std::nullopt;
    if (length == 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries.data() + at);
      names.emplace_back(entry->d_name);
      at += entry->d_reclen;
    }
  }
  return names;
}

}  // namespace sys
}  // namespace flintap
