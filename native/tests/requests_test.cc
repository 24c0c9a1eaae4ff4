// The requests, against those that iproute2 sends for the same thing.
#include "core/link/requests.h"

#include <doctest/doctest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>

#include "core/link/kind.h"
#include "core/link/kinds/veth.h"
#include "tests/fixture.h"
#include "tests/octets.h"
#include "tests/value.h"

using namespace flintap;
using namespace flintap::tests;
using netlink::Bytes;
using netlink::Request;

namespace {

// Which attributes hold others, by their path, and how long the header before those is.
using Nests = std::map<std::string, std::size_t>;

const Nests kLinkInfo{{"18", 0}, {"18/2", 0}};
const Nests kVeth{{"18", 0}, {"18/2", 0}, {"18/2/1", sizeof(ifinfomsg)}};
const Nests kSource{{"18", 0}, {"18/2", 0}, {"18/2/5", 0}};
const Nests kPort{{"18", 0}, {"18/5", 0}};
const Nests kFamilies{{"26", 0}, {"26/10", 0}};
const Nests kAltNames{{"52", 0}};

// The names of kinds: iproute2 sends them without a NUL, and the kernel takes both.
bool is_kind(const std::string& path) { return path == "18/1" || path == "18/2/1/18/1"; }

void add_lines(std::vector<std::string>& lines, Bytes attributes, const Nests& nests,
               const std::string& parent) {
  netlink::AttributeReader reader(attributes);
  while (auto attribute = reader.next()) {
    const std::string path = parent + std::to_string(attribute->type);
    const auto nest = nests.find(path);
    if (nest != nests.end()) {
      lines.push_back(path + ": " + hex(attribute->payload.first(nest->second)));
      add_lines(lines, attribute->payload.subspan(nest->second), nests, path + "/");
    } else {
      lines.push_back(path + ": " + (is_kind(path) ? attribute->text() : hex(attribute->payload)));
    }
  }
  CHECK_FALSE(reader.malformed());
}

// A body as lines, one an attribute, in no order: the header, then each by its path.
std::string outline(Bytes body, const Nests& nests, std::size_t header = sizeof(ifinfomsg)) {
  std::vector<std::string> lines;
  add_lines(lines, body.subspan(header), nests, "");
  std::ranges::sort(lines);
  std::string text = hex(body.first(header));
  for (const std::string& line : lines) text += "\n" + line;
  return text;
}

std::string outline(const Request& request, const Nests& nests = {}) {
  return outline(Bytes(request.body), nests);
}

// What iproute2 sent.
struct Sent {
  explicit Sent(std::string_view name) : captured(fixture(name)), frame(sent_frame(captured)) {}
  Fixture captured;
  netlink::Frame frame;
};

void check_flags(const Request& request, const Sent& sent) {
  const int ours = request.flags | NLM_F_REQUEST | NLM_F_ACK;
  CHECK(ours == sent.frame.header.nlmsg_flags);
}

HardwareAddress mac(const char* text) { return *HardwareAddress::parse(text); }

Link macvtap_with(std::string_view mode) {
  Link link;
  link.kind = "macvtap";
  link.name = "mv0";
  link.parent = 101;
  const Schema& schema = *find_kind("macvtap")->details;
  link.details = schema.make();
  set(*link.details, schema, "mode", std::string(mode));
  return link;
}

}  // namespace

TEST_SUITE("creates") {
  TEST_CASE("a macvtap") {
    Link link = macvtap_with("private");
    link.index = 300;
    link.mac = mac("02:00:00:00:03:00");
    link.mtu = 1400;
    link.tx_queue_length = 700;
    const Request request = requests::create(link);
    const Sent sent("request-create-macvtap");
    CHECK(request.type == sent.frame.header.nlmsg_type);
    check_flags(request, sent);
    CHECK(outline(request, kLinkInfo) == outline(sent.frame.body, kLinkInfo));
  }

  TEST_CASE("a macvtap in source mode, with its sources") {
    Link link = macvtap_with("source");
    set(*link.details, *find_kind("macvtap")->details, "sourceMacs",
        std::vector<std::string>{"02:00:00:00:0a:01", "02:00:00:00:0a:02"});
    const Sent sent("request-create-macvtap-source");
    CHECK(outline(requests::create(link), kSource) == outline(sent.frame.body, kSource));
  }

  TEST_CASE("a bridge") {
    Link link;
    link.kind = "bridge";
    link.index = 200;
    link.name = "br0";
    link.mac = mac("02:00:00:00:02:00");
    const Schema& schema = *find_kind("bridge")->details;
    link.details = schema.make();
    set(*link.details, schema, "forwardDelay", std::int64_t{0});
    set(*link.details, schema, "ageingTime", std::int64_t{12300});
    set(*link.details, schema, "stp", false);
    set(*link.details, schema, "priority", std::int64_t{4096});
    const Request request = requests::create(link);
    const Sent sent("request-create-bridge");
    check_flags(request, sent);
    CHECK(outline(request, kLinkInfo) == outline(sent.frame.body, kLinkInfo));
  }

  // The kernel takes the other end's name, address and index from a message inside the message.
  // Ours says its kind as well, as any link's does.
  TEST_CASE("a pair of veths") {
    Link link;
    link.kind = "veth";
    link.index = 101;
    link.name = "enp0";
    link.mac = mac("02:00:00:00:00:01");
    auto details = std::make_unique<Veth>();
    details->peer = std::make_unique<Link>();
    details->peer->index = 100;
    details->peer->name = "wire";
    details->peer->mac = mac("02:00:00:00:00:02");
    link.details = std::move(details);
    const Sent sent("request-create-veth");
    CHECK(outline(requests::create(link), kVeth) == outline(sent.frame.body, kVeth));
  }

  TEST_CASE("a kind without details is named all the same") {
    Link link;
    link.kind = "ifb";
    link.name = "ifb7";
    CHECK(outline(requests::create(link), kLinkInfo) ==
          "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
          "18/1: ifb\n"
          "18: \n"
          "3: 69 66 62 37 00");
  }
}

// iproute2 changes links by RTM_NEWLINK, flintap by RTM_SETLINK, which never makes one.
TEST_SUITE("changes") {
  TEST_CASE("are RTM_SETLINK, and neither make nor replace") {
    const Request request = requests::change(Reference::by_index(101), "set up", Link{});
    CHECK(request.type == RTM_SETLINK);
    CHECK(request.flags == 0);
    CHECK(request.step == "set up");
    CHECK_FALSE(request.answers);
  }

  TEST_CASE("of one setting are what iproute2 sends") {
    const auto same = [](std::string_view name, const Link& changes) {
      CAPTURE(name);
      const Sent sent(name);
      const Request request = requests::change(Reference::by_index(101), "change", changes);
      CHECK(outline(request) == outline(sent.frame.body, {}));
    };
    Link up;
    up.up = true;
    same("request-set-up", up);
    Link down;
    down.up = false;
    same("request-set-down", down);
    Link mtu;
    mtu.mtu = 1400;
    same("request-set-mtu", mtu);
    // Without a NUL: the kernel would count it among the 255 bytes.
    Link alias;
    alias.alias = "a tag";
    same("request-set-alias", alias);
    Link master;
    master.master = 200;
    same("request-set-master", master);
  }

  TEST_CASE("never carry what only the kernel says") {
    const Fixture captured = fixture("macvtap-bridge");
    const auto link = read_link(received_frame(captured));
    REQUIRE(link);
    const Request request = requests::change(Reference::by_index(300), "change", *link);
    const auto is_sent = [&](std::uint16_t type) {
      return netlink::find(Bytes(request.body).subspan(sizeof(ifinfomsg)), type).has_value();
    };
    CHECK(is_sent(IFLA_MTU));
    for (const std::uint16_t type : {IFLA_OPERSTATE, IFLA_CARRIER, IFLA_STATS64, IFLA_AF_SPEC,
                                     IFLA_PROP_LIST, IFLA_GSO_MAX_SEGS, IFLA_LINKINFO}) {
      CAPTURE(type);
      CHECK_FALSE(is_sent(type));
    }
  }

  TEST_CASE("an alt name is added") {
    const std::array<std::string, 1> identity{"flintap-0123"};
    const auto request = requests::add_alt_names(Reference::by_index(101), "identify", identity);
    const Sent sent("request-add-alt-name");
    CHECK(request.type == RTM_NEWLINKPROP);
    CHECK(request.flags == (NLM_F_CREATE | NLM_F_EXCL));
    CHECK(outline(request, kAltNames) == outline(sent.frame.body, kAltNames));
  }

  // iproute2 names the kind in IFLA_INFO_KIND as "bridge_slave"; the settings are the same.
  TEST_CASE("a bridge's port is set") {
    const Schema& schema = *find_kind("bridge")->port;
    const auto port = schema.make();
    for (const char* on : {"isolated", "hairpin", "neighSuppress", "guard", "rootBlock",
                           "fastLeave", "proxyArp", "proxyArpWifi", "mcastToUnicast", "locked"}) {
      set(*port, schema, on, true);
    }
    for (const char* off : {"learning", "flood", "mcastFlood", "bcastFlood", "vlanTunnel"}) {
      set(*port, schema, off, false);
    }
    set(*port, schema, "cost", std::int64_t{7});
    set(*port, schema, "priority", std::int64_t{9});
    set(*port, schema, "mcastRouter", std::int64_t{2});
    set(*port, schema, "groupForwardMask", std::int64_t{8});
    const auto request =
        requests::set_port(Reference::by_index(101), "set the port", "bridge", *port, schema);
    CHECK(request.type == RTM_NEWLINK);
    CHECK(request.flags == 0);
    const Sent sent("request-set-port");
    const auto description = [](Bytes body) {
      return netlink::find(body.subspan(sizeof(ifinfomsg)), IFLA_LINKINFO)->payload;
    };
    const Bytes ours = description(request.body);
    CHECK(netlink::find(ours, IFLA_INFO_SLAVE_KIND)->text() == "bridge");
    CHECK(
        outline(netlink::find(ours, IFLA_INFO_SLAVE_DATA)->payload, {}, 0) ==
        outline(netlink::find(description(sent.frame.body), IFLA_INFO_SLAVE_DATA)->payload, {}, 0));
  }

  TEST_CASE("IPv6 addresses are stopped") {
    const auto request = requests::stop_ipv6_addresses(Reference::by_index(101), "reduce");
    const Sent sent("request-stop-ipv6-addresses");
    CHECK(request.type == RTM_SETLINK);
    CHECK(outline(request, kFamilies) == outline(sent.frame.body, kFamilies));
  }

  TEST_CASE("the queueing discipline is taken away") {
    const auto request = requests::set_noqueue(101, "set the queueing discipline");
    const Sent sent("request-set-noqueue");
    CHECK(request.type == sent.frame.header.nlmsg_type);
    check_flags(request, sent);
    CHECK(outline(request.body, {}, sizeof(tcmsg)) == outline(sent.frame.body, {}, sizeof(tcmsg)));
  }

  TEST_CASE("a link is moved, with its index and under another name where that is asked for") {
    const auto moved = [](const Reference& link, const Destination& to) {
      const Request request = requests::move(link, "move", to);
      CHECK(request.type == RTM_SETLINK);
      CHECK(request.flags == 0);
      return outline(request);
    };
    CHECK(moved(Reference::by_identity("ab"), {.network_namespace = 7, .index = {}, .name = {}}) ==
          "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
          "28: 07 00 00 00\n"
          "53: 61 62 00");
    CHECK(moved(Reference::by_index(300), {.network_namespace = 7, .index = 300, .name = "mv1"}) ==
          "00 00 00 00 2c 01 00 00 00 00 00 00 00 00 00 00\n"
          "28: 07 00 00 00\n"
          "3: 6d 76 31 00\n"
          "49: 2c 01 00 00");
  }

  // iproute2 has no number of a group with the highest bit set.
  TEST_CASE("a link is put into a group, and a group is removed") {
    const auto put = requests::set_group(Reference::by_index(101), "delete", 0x80000007);
    CHECK(put.type == RTM_SETLINK);
    CHECK(put.flags == 0);
    CHECK(outline(put) == "00 00 00 00 65 00 00 00 00 00 00 00 00 00 00 00\n27: 07 00 00 80");
    const auto removal = requests::remove_group(0x80000007, "delete");
    CHECK(removal.type == RTM_DELLINK);
    CHECK(removal.flags == 0);
    CHECK(outline(removal) == "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n27: 07 00 00 80");
  }

  TEST_CASE("a link is removed") {
    const auto request = requests::remove(Reference::by_index(101), "delete");
    const Sent sent("request-remove");
    CHECK(request.type == sent.frame.header.nlmsg_type);
    check_flags(request, sent);
    CHECK(outline(request) == outline(sent.frame.body, {}));
  }
}

TEST_SUITE("reads") {
  TEST_CASE("a list is narrowed by kind and master as iproute2 does it") {
    const Request request = requests::dump({.kind = "macvtap", .master = 200, .statistics = false});
    const Sent sent("request-list");
    CHECK(request.type == sent.frame.header.nlmsg_type);
    CHECK(request.is_dump());
    CHECK(request.answers);
    // The family is any, not iproute2's AF_PACKET, and counters are left out by the mask.
    CHECK(outline(request, kLinkInfo) ==
          "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
          "10: c8 00 00 00\n"
          "18/1: macvtap\n"
          "18: \n"
          "29: 08 00 00 00");
    const std::string theirs = outline(sent.frame.body, kLinkInfo);
    CHECK(theirs.ends_with("10: c8 00 00 00\n18/1: macvtap\n18: \n29: 01 00 00 00"));
  }

  TEST_CASE("counters are asked for by leaving nothing out") {
    DumpFilter filter;
    filter.statistics = true;
    CHECK(outline(requests::dump(filter)) ==
          "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n29: 00 00 00 00");
    CHECK(outline(requests::get(Reference::by_index(7), "look up", true)) ==
          "00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00\n29: 00 00 00 00");
  }
}

TEST_SUITE("references") {
  const auto looked_up = [](const Reference& reference) {
    return outline(requests::get(reference, "look up"));
  };

  TEST_CASE("an index stands in the header") {
    CHECK(looked_up(Reference::by_index(300)) ==
          "00 00 00 00 2c 01 00 00 00 00 00 00 00 00 00 00\n29: 08 00 00 00");
  }

  TEST_CASE("a name is an attribute") {
    CHECK(looked_up(Reference::by_name("lo")) ==
          "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n29: 08 00 00 00\n3: 6c 6f 00");
  }

  TEST_CASE("a name that is longer than any device's is an alt name") {
    const std::string fifteen(15, 'x');
    const std::string sixteen(16, 'x');
    CHECK(looked_up(Reference::by_name(fifteen)).find("\n3: 78") != std::string::npos);
    CHECK(looked_up(Reference::by_name(sixteen)).find("\n53: 78") != std::string::npos);
  }

  TEST_CASE("an identity addresses alone, whatever else is known of the link") {
    Reference reference = Reference::by_identity("ab");
    reference.index = 300;
    reference.name = "mv0";
    CHECK(looked_up(reference) ==
          "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n29: 08 00 00 00\n53: 61 62 00");
  }

  TEST_CASE("an index addresses before a name") {
    Reference reference = Reference::by_index(300);
    reference.name = "mv0";
    CHECK(looked_up(reference) == looked_up(Reference::by_index(300)));
  }

  TEST_CASE("a namespace's number says where to look") {
    Reference reference = Reference::by_index(300);
    reference.network_namespace = 4'026'531'840;  // where it was read: not for the kernel
    reference.looked_up_in = 2;
    CHECK(looked_up(reference) ==
          "00 00 00 00 2c 01 00 00 00 00 00 00 00 00 00 00\n29: 08 00 00 00\n46: 02 00 00 00");
  }

  TEST_CASE("the label is what people know the link by") {
    CHECK(Reference::by_index(300).label() == "index 300");
    CHECK(Reference::by_name("mv0").label() == "mv0");
    Reference reference = Reference::by_identity("flintap-00");
    CHECK(reference.label() == "flintap-00");
    reference.name = "mv0";
    CHECK(reference.label() == "mv0");
    CHECK(Reference{}.label().empty());
  }
}
