// Many links of the cheapest kind, for lists of them.
#pragma once

#include <string>

#include "core/netlink/socket.h"

namespace flintap::tests {

// PREFIX0, PREFIX1, … in the network namespace of the socket. Whether all were made.
bool make_bridges(netlink::Socket& socket, const std::string& prefix, int count);

}  // namespace flintap::tests
