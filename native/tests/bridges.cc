#include "tests/bridges.h"

#include <algorithm>
#include <vector>

#include "core/link/requests.h"

namespace flintap::tests {

bool make_bridges(netlink::Socket& socket, const std::string& prefix, int count) {
  std::vector<netlink::Request> batch;
  for (int number = 0; number < count; ++number) {
    Link bridge;
    bridge.kind = "bridge";
    bridge.name = prefix + std::to_string(number);
    batch.push_back(requests::create(bridge));
  }
  const auto acks = socket.exchange(batch, [](std::size_t, const netlink::Frame&) {});
  return std::ranges::count(acks, 0, &netlink::Ack::error) == count;
}

}  // namespace flintap::tests
