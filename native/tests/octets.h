// Bytes as tests write and compare them: in hexadecimal, "08 00 01 00".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/netlink/attributes.h"

namespace flintap::tests {

using Octets = std::vector<std::byte>;

// Throws std::runtime_error for what is no octet.
Octets octets(std::string_view hex);
std::string hex(netlink::Bytes bytes);

}  // namespace flintap::tests
