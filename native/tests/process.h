// What this process holds, as /proc tells, and processes of a test's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace flintap::tests {

std::size_t open_descriptors();
std::size_t running_threads();
// Whether there are no more threads than that before long: one that was joined is in /proc for a
// moment still.
bool comes_down_to(std::size_t threads);

struct OpenSocket {
  int descriptor;
  std::uint64_t number;  // the socket's own, whatever its descriptor
};
std::vector<OpenSocket> netlink_sockets();

// How a child process that runs `body` ended, as waitpid tells. Its exit code is 0 when the body
// gave true, 1 when it gave false or threw.
int run_in_child(bool (*body)());

// Checks that `body` gives true in a process with a network namespace of its own. Where there can
// be none, prints "skipped: " and why: ctest takes that for a skip.
void check_in_namespace(bool (*body)());

}  // namespace flintap::tests
