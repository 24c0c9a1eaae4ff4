#include "tests/process.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

namespace flintap::tests {
namespace {

constexpr int kNoNamespace = 2;

std::size_t entries(const char* folder) {
  const std::filesystem::directory_iterator listing(folder);
  return static_cast<std::size_t>(std::distance(begin(listing), end(listing)));
}

// Without the parent's exit handlers: doctest's report is the parent's.
template <class Body>
int fork_and_wait(Body body) {
  std::fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      _exit(body());
    } catch (...) {
      _exit(1);
    }
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

// The listing itself has one open, always the same one more.
std::size_t open_descriptors() { return entries("/proc/self/fd"); }
std::size_t running_threads() { return entries("/proc/self/task"); }

bool comes_down_to(std::size_t threads) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (running_threads() > threads && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  return running_threads() == threads;
}

std::vector<OpenSocket> netlink_sockets() {
  std::vector<OpenSocket> sockets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int descriptor = std::stoi(entry.path().filename());
    int domain = 0;
    socklen_t length = sizeof domain;
    struct stat status {};
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
        domain == AF_NETLINK && fstat(descriptor, &status) == 0) {
      sockets.push_back({.descriptor = descriptor, .number = status.st_ino});
    }
  }
  return sockets;
}

int run_in_child(bool (*body)()) {
  return fork_and_wait([&] { return body() ? 0 : 1; });
}

void check_in_namespace(bool (*body)()) {
  const int status = fork_and_wait([&] {
    const int flags = CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(flags) == 0) return body() ? 0 : 1;
    dprintf(STDOUT_FILENO, "skipped: a network namespace of its own: %s\n", std::strerror(errno));
    return kNoNamespace;
  });
  REQUIRE(WIFEXITED(status));
  CHECK((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kNoNamespace));
}

}  // namespace flintap::tests
