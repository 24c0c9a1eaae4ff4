// Reading events that the kernel really sent to a watch; the fixtures say what happened.
#include "core/link/link_event.h"

#include <doctest/doctest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "core/link/kind.h"
#include "core/watch/link_news.h"
#include "tests/fixture.h"
#include "tests/value.h"

using namespace flintap;
using namespace flintap::tests;

namespace {

constexpr std::uint32_t kWire = 100;
constexpr std::uint32_t kParent = 101;

std::vector<LinkEvent> captured_events(std::string_view name) {
  const Fixture captured = fixture(name);
  std::vector<LinkEvent> events;
  for (const Octets& datagram : captured.received) {
    netlink::FrameReader frames(datagram);
    while (auto frame = frames.next()) {
      if (auto event = read_link_event(*frame)) events.push_back(std::move(*event));
    }
  }
  return events;
}

std::vector<std::uint32_t> captured_deletions(std::string_view name) {
  const Fixture captured = fixture(name);
  std::vector<std::uint32_t> indexes;
  for (const Octets& datagram : captured.received) {
    netlink::FrameReader frames(datagram);
    while (auto frame = frames.next()) {
      if (const auto index = read_deletion(*frame)) indexes.push_back(*index);
    }
  }
  return indexes;
}

// What a consumer that sleeps all the while is told of a link that it knows.
LinkNews news_of(std::string_view name, std::uint32_t index) {
  LinkNewsQueue queue;
  std::vector<LinkEvent> known(1);
  known[0].index = index;
  known[0].link = std::make_unique<Link>();
  queue.take_listing(std::move(known));
  queue.hand_over();
  for (LinkEvent& event : captured_events(name)) queue.take(std::move(event));
  for (LinkNews& news : queue.hand_over()) {
    if (news.index == index) return std::move(news);
  }
  return {};
}

netlink::Frame link_frame(std::uint16_t type, const netlink::AttributeWriter& writer) {
  netlink::Frame frame;
  frame.header.nlmsg_type = type;
  frame.body = writer.bytes();
  return frame;
}

}  // namespace

TEST_SUITE("link event") {
  TEST_CASE("a port's settings are a part of the link") {
    const auto events = captured_events("event-port-settings");
    REQUIRE(events.size() == 1);
    CHECK(events[0].index == kWire);
    CHECK_FALSE(events[0].removed);
    CHECK_FALSE(events[0].link);
    REQUIRE(events[0].port);
    const Schema& schema = *find_kind("bridge")->port;
    CHECK(text_at(*events[0].port, schema, "isolated") == "true");
    CHECK(text_at(*events[0].port, schema, "state") == "3");
    CHECK(text_at(*events[0].port, schema, "learning") == "true");
  }

  TEST_CASE("a port that leaves its bridge is no removal") {
    const auto events = captured_events("event-port-leaves");
    REQUIRE(events.size() >= 3);
    for (const LinkEvent& event : events) CHECK_FALSE(event.removed);
    const LinkNews news = news_of("event-port-leaves", kWire);
    CHECK_FALSE(news.removed);
    REQUIRE(news.link);
    CHECK(news.link->name == "wire");
    CHECK_FALSE(news.link->master);
    CHECK_FALSE(news.link->port);
  }

  TEST_CASE("IPv6 that is opened is a part of the link") {
    const auto events = captured_events("event-ipv6-opened");
    REQUIRE(events.size() == 1);
    CHECK(events[0].index == kParent);
    REQUIRE(events[0].ipv6);
    CHECK(events[0].ipv6->state == HostIpv6::open);
    CHECK(events[0].ipv6->accept_ra == 1);
    CHECK(events[0].ipv6->forwarding == false);
  }

  TEST_CASE("a link that goes leaves no more than that, whatever was said before") {
    for (const std::uint32_t index : {kWire, kParent}) {
      const LinkNews news = news_of("event-deleted", index);
      CHECK(news.removed);
      CHECK_FALSE(news.link);
      CHECK_FALSE(news.port);
    }
  }

  TEST_CASE("what a wireless driver says besides is no link") {
    ifinfomsg info{};
    info.ifi_index = 7;
    netlink::AttributeWriter writer(info);
    writer.put_text(IFLA_IFNAME, "wlan0");
    CHECK(read_link_event(link_frame(RTM_NEWLINK, writer)));
    writer.put_value(IFLA_WIRELESS, std::uint32_t{0});
    CHECK_FALSE(read_link_event(link_frame(RTM_NEWLINK, writer)));
  }

  TEST_CASE("a deletion is neither the leaving of a bridge nor a move to another namespace") {
    CHECK(captured_deletions("event-port-leaves").empty());
    const auto deleted = captured_deletions("event-deleted");
    CHECK(std::ranges::count(deleted, kWire) == 1);
    CHECK(std::ranges::count(deleted, kParent) == 1);
    ifinfomsg info{};
    info.ifi_index = 7;
    netlink::AttributeWriter writer(info);
    writer.put_text(IFLA_IFNAME, "tap0");
    CHECK(read_deletion(link_frame(RTM_DELLINK, writer)) == 7U);
    CHECK_FALSE(read_deletion(link_frame(RTM_NEWLINK, writer)));
    writer.put_value(IFLA_NEW_NETNSID, std::int32_t{0});
    CHECK_FALSE(read_deletion(link_frame(RTM_DELLINK, writer)));
  }

  TEST_CASE("other messages, and such as end too soon, are no events") {
    CHECK_FALSE(read_link_event(link_frame(RTM_NEWADDR, netlink::AttributeWriter(ifinfomsg{}))));
    CHECK_FALSE(read_link_event(link_frame(RTM_NEWLINK, netlink::AttributeWriter())));
    ifinfomsg port{};
    port.ifi_family = AF_BRIDGE;
    CHECK_FALSE(read_link_event(link_frame(RTM_NEWLINK, netlink::AttributeWriter(port))));
  }
}
