// What the kernel and iproute2 really said: the files in native/tests/fixtures/, as
// scripts/capture-fixtures.mjs writes them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/netlink/message.h"
#include "tests/octets.h"

namespace flintap::tests {

struct Fixture {
  std::string name;
  // What the witnesses said of the link: a field's path and its value as text.
  std::vector<std::pair<std::string, std::string>> expected;
  std::vector<Octets> sent;
  std::vector<Octets> received;
};

// Throws std::runtime_error when there is no such fixture, or it is not well-formed.
Fixture fixture(std::string_view name);

std::vector<Fixture> all_fixtures();

// Those of a link on which there are witnesses.
std::vector<Fixture> captured_links();

// The first message of the only datagram received, or sent.
netlink::Frame received_frame(const Fixture& captured);
netlink::Frame sent_frame(const Fixture& captured);

}  // namespace flintap::tests
