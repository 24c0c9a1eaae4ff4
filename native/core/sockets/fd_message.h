// Bytes of a unix stream socket with the descriptors beside them (SCM_RIGHTS). Nothing here waits:
// by flags of the call and not of the socket, which other processes may have as well.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/system/fd.h"

namespace flintap {

// The kernel's SCM_MAX_FD, which no header of its has: one message has no more.
inline constexpr std::size_t kMostDescriptors = 253;

// Sends as many of the bytes as there is room for, the descriptors with the first of them; how many
// bytes, or nothing where there is no room. Throws Failure.
std::optional<std::size_t> send_some(int socket, std::span<const std::byte> bytes,
                                     std::span<const int> descriptors);

struct FdMessage {
  std::vector<std::byte> bytes;  // none at the end
  std::vector<Fd> descriptors;   // close-on-exec
};

// The next bytes; nothing where there are none yet. Throws Failure, also where not all descriptors
// could be had; those that came are closed then.
std::optional<FdMessage> receive_some(int socket, std::size_t max_bytes,
                                      std::size_t max_descriptors);

}  // namespace flintap
