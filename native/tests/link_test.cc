// Reading links from what the kernel really sent. The witnesses' words stand in the fixtures.
#include "core/link/link.h"

#include <doctest/doctest.h>
#include <linux/if_link.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/link/requests.h"
#include "tests/fixture.h"
#include "tests/octets.h"
#include "tests/value.h"

using namespace flintap;
using namespace flintap::tests;

namespace {

Link captured_link(std::string_view name, bool statistics = true) {
  const Fixture captured = fixture(name);
  auto link = read_link(received_frame(captured), statistics);
  REQUIRE(link);
  return std::move(*link);
}

std::optional<netlink::Attribute> unknown_of(const Record& record, std::uint16_t type) {
  return netlink::find(record.unknown.bytes(), type);
}

}  // namespace

TEST_SUITE("link") {
  TEST_CASE("every captured link reads as iproute2 read it") {
    const auto links = captured_links();
    REQUIRE(links.size() >= 20);
    for (const Fixture& captured : links) {
      CAPTURE(captured.name);
      const auto link = read_link(received_frame(captured), true);
      REQUIRE(link);
      for (const auto& [path, expected] : captured.expected) {
        CAPTURE(path);
        CHECK(text_at(*link, kLinkSchema, path) == expected);
      }
    }
  }

  TEST_CASE("every captured link matches itself") {
    for (const Fixture& captured : captured_links()) {
      CAPTURE(captured.name);
      const auto link = read_link(received_frame(captured));
      REQUIRE(link);
      CHECK_FALSE(compare(*link, *link, kLinkSchema));
    }
  }

  TEST_CASE("counters are left out unless they were asked for") {
    CHECK(captured_link("traffic", true).statistics);
    CHECK_FALSE(captured_link("traffic", false).statistics);
  }

  // Hardly a captured link has counted errors.
  TEST_CASE("each counter is read from its place in the kernel's struct") {
    std::array<std::uint64_t, 25> counters{};
    std::iota(counters.begin(), counters.end(), 1);
    netlink::AttributeWriter writer(std::array<std::byte, 16>{});
    writer.put_value(IFLA_STATS64, counters);
    netlink::Frame frame;
    frame.header.nlmsg_type = 16;
    frame.body = writer.bytes();
    const auto link = read_link(frame, true);
    REQUIRE(link);
    constexpr std::array<std::string_view, 10> in_order{
        "rxPackets", "txPackets", "rxBytes",   "txBytes",   "rxErrors",
        "txErrors",  "rxDropped", "txDropped", "multicast", "collisions"};
    for (std::size_t place = 0; place < in_order.size(); ++place) {
      const std::string path = "statistics." + std::string(in_order[place]);
      CAPTURE(path);
      CHECK(text_at(*link, kLinkSchema, path) == std::to_string(place + 1));
    }
    CHECK(text_at(*link, kLinkSchema, "statistics.rxNoHandler") == "24");
  }

  TEST_CASE("counters that an older kernel does not have are zero") {
    netlink::AttributeWriter writer(std::array<std::byte, 16>{});
    writer.put_value(IFLA_STATS64, std::array<std::uint64_t, 2>{7, 8});
    netlink::Frame frame;
    frame.header.nlmsg_type = 16;
    frame.body = writer.bytes();
    const auto link = read_link(frame, true);
    REQUIRE(link);
    CHECK(link->statistics->tx_packets == 8U);
    CHECK(link->statistics->rx_bytes == 0U);
  }

  TEST_CASE("an attribute without a row is kept as it came") {
    const Link link = captured_link("veth");
    const auto segments = unknown_of(link, IFLA_GSO_MAX_SEGS);
    REQUIRE(segments);
    CHECK(hex(segments->payload) == "ff ff 00 00");
    // What flintap says by other fields is not among them.
    for (const std::uint16_t type : {IFLA_STATS, IFLA_STATS64, IFLA_MAP, IFLA_LINKINFO}) {
      CAPTURE(type);
      CHECK_FALSE(unknown_of(link, type));
    }
  }

  TEST_CASE("details keep what they have no row for") {
    const Link link = captured_link("macvtap-bridge");
    REQUIRE(link.details);
    const auto length = unknown_of(*link.details, IFLA_MACVLAN_BC_QUEUE_LEN);
    REQUIRE(length);
    CHECK(hex(length->payload) == "e8 03 00 00");
  }

  TEST_CASE("a kind without a table keeps its whole description raw") {
    const Link link = captured_link("kind-without-table");
    CHECK(link.kind == "vxlan");
    CHECK_FALSE(link.details);
    const auto info = unknown_of(link, IFLA_LINKINFO);
    REQUIRE(info);
    const auto data = netlink::find(info->payload, IFLA_INFO_DATA);
    REQUIRE(data);
    const auto identifier = netlink::find(data->payload, IFLA_VXLAN_ID);
    REQUIRE(identifier);
    CHECK(identifier->as<std::uint32_t>() == 5U);
  }

  TEST_CASE("a kind without a table and without data has nothing to keep") {
    const Link link = captured_link("kind-without-data");
    CHECK(link.kind == "ifb");
    CHECK_FALSE(unknown_of(link, IFLA_LINKINFO));
  }

  TEST_CASE("a link that nothing made has the empty kind") {
    CHECK(captured_link("loopback").kind == "");
  }

  TEST_CASE("the identity is the alt name that begins as ours do") {
    const Link link = captured_link("marked");
    CHECK(link.identity() == "flintap-00112233445566778899aabbccddeeff");
    CHECK(link.has_alt_name("a-second-name"));
    CHECK_FALSE(link.has_alt_name("enp0"));
    CHECK(captured_link("veth").identity().empty());
  }

  TEST_CASE("a message about a bridge's port is none about the link") {
    const Fixture captured = fixture("answer-bridge-family");
    const netlink::Frame frame = received_frame(captured);
    CHECK(frame.header.nlmsg_type == 16);
    CHECK_FALSE(read_link(frame));
  }

  TEST_CASE("another message than RTM_NEWLINK is no link") {
    const Fixture captured = fixture("veth");
    netlink::Frame frame = received_frame(captured);
    for (const std::uint16_t type : std::to_array<std::uint16_t>({2, 3, 17, 18, 24})) {
      CAPTURE(type);
      frame.header.nlmsg_type = type;
      CHECK_FALSE(read_link(frame));
    }
  }

  TEST_CASE("a message shorter than its header is no link") {
    const Fixture captured = fixture("veth");
    netlink::Frame frame = received_frame(captured);
    frame.body = frame.body.first(15);
    CHECK_FALSE(read_link(frame));
  }
}

TEST_SUITE("link messages that are damaged") {
  // Every copy has its own allocation, so that a sanitizer sees the first byte read beyond it.
  TEST_CASE("every prefix of a captured message reads within its bounds") {
    for (const Fixture& captured : captured_links()) {
      const netlink::Frame whole = received_frame(captured);
      for (std::size_t length = 0; length <= whole.body.size(); ++length) {
        const Octets prefix(whole.body.begin(),
                            whole.body.begin() + static_cast<std::ptrdiff_t>(length));
        const auto link = read_link({.header = whole.header, .body = prefix}, true);
        CHECK(link.has_value() == (length >= 16));
      }
    }
  }

  TEST_CASE("a message with any one octet changed reads within its bounds") {
    for (const char* name : {"macvtap-source", "bridge-port", "marked", "kind-without-table"}) {
      const Fixture captured = fixture(name);
      const netlink::Frame whole = received_frame(captured);
      Octets damaged(whole.body.begin(), whole.body.end());
      for (std::byte& octet : damaged) {
        const std::byte good = octet;
        for (const std::byte bad : {std::byte{0}, std::byte{0xFF}, good ^ std::byte{1}}) {
          octet = bad;
          const auto link = read_link({.header = whole.header, .body = damaged}, true);
          if (link) CHECK_FALSE(compare(*link, *link, kLinkSchema));
        }
        octet = good;
      }
    }
  }

  TEST_CASE("descriptions nested in each other end where their bytes end") {
    // IFLA_LINKINFO with the kind "veth", whose IFLA_INFO_DATA claims to be longer than all of it.
    const Octets body = octets(
        "00 00 01 00 65 00 00 00 00 00 00 00 00 00 00 00 "
        "18 00 12 00 09 00 01 00 76 65 74 68 00 00 00 00 ff 00 02 00 01 02 03 04");
    netlink::Frame frame;
    frame.header.nlmsg_type = 16;
    frame.body = body;
    const auto link = read_link(frame);
    REQUIRE(link);
    CHECK(link->kind == "veth");
    CHECK_FALSE(link->details);
  }
}
