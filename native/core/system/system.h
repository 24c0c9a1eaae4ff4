// Every system call of the core, each under its own name. Nothing else in the core calls the
// kernel. All behave as their namesakes: -1 and errno on failure; those that a signal can
// interrupt are tried again.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/system/fd.h"

namespace flintap::sys {

Fd open(const char* path, int flags);
Fd openat(int directory, const char* path, int flags);
int close(int fd) noexcept;
ssize_t read(int fd, std::span<std::byte> into);
ssize_t write(int fd, std::span<const std::byte> from);
int set_close_on_exec(int fd);
int fstat(int fd, struct stat& into);
int stat(const char* path, struct stat& into);
int faccessat(int directory, const char* path, int mode);
int ioctl(int fd, unsigned long request, void* argument);
int ioctl_value(int fd, unsigned long request, unsigned long argument);

Fd socket(int domain, int type, int protocol);
int setsockopt(int fd, int level, int name, int value);
int set_receive_timeout(int fd, const timeval& timeout);
int set_send_timeout(int fd, const timeval& timeout);
int connect(int fd, const sockaddr* address, socklen_t length);
// Close-on-exec, both of them; 0 or -1.
int socket_pair(int domain, int type, std::array<Fd, 2>& into);
int bind(int fd, const sockaddr* address, socklen_t length);
int getsockname(int fd, sockaddr* address, socklen_t& length);
int getsockopt(int fd, int level, int name, int& value);
ssize_t sendmsg(int fd, const msghdr& message, int flags = 0);
ssize_t recvmsg(int fd, msghdr& message, int flags = 0);
// Waits for the first of the messages, and takes of the others those that are there. Their number.
int recvmmsg(int fd, std::span<mmsghdr> messages, int flags = 0);
// The length of the datagram that recvmsg would give next; waits for one, unless MSG_DONTWAIT.
ssize_t peek_length(int fd, int flags = 0);

// For so many milliseconds; negative: without limit.
int poll(std::span<pollfd> sources, int timeout);
Fd event_fd();

int mknodat(int directory, const char* path, mode_t mode, dev_t device);
int mkdir(const char* path, mode_t mode);
int unlinkat(int directory, const char* path, int flags);

// setns(2) for the calling thread.
int set_network_namespace(int fd);

// A file system of its own that is mounted nowhere (Linux 5.2): gone with the descriptor.
Fd fsopen(const char* type);
int fsconfig_create(int filesystem);
Fd fsmount(int filesystem);

// Fills the whole span, or -1.
int random(std::span<std::byte> into);

// The whole of a small file such as one in /proc or /sys, without its last newline. Nothing, with
// errno set, on failure.
std::optional<std::string> read_small_file(int directory, const char* path);

// Where a symbolic link leads; nothing on failure.
std::optional<std::string> read_symbolic_link(const char* path);

// The names in a directory, about `most` of them; nothing on failure.
std::optional<std::vector<std::string>> list_directory(const char* path, std::size_t most);

}  // namespace flintap::sys
