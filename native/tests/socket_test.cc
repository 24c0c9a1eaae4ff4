// The socket against the kernel of this machine. It only reads links, so it needs no privileges
// and changes nothing; what has to write has a namespace of its own.
#include "core/netlink/socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "core/failure.h"
#include "core/link/kind.h"
#include "core/link/requests.h"
#include "core/system/seam.h"
#include "tests/process.h"
#include "tests/value.h"

using namespace flintap;
using namespace flintap::netlink;

namespace {

// In every namespace.
constexpr std::uint32_t kLoopback = 1;
constexpr std::uint32_t kAbsent = std::numeric_limits<std::int32_t>::max();

Request get(std::uint32_t index) { return requests::get(Reference::by_index(index), "look up"); }

// A read with an attribute that it can't have: strict checking refuses it with a text.
Request refused_read(std::uint16_t flags) {
  AttributeWriter writer(ifinfomsg{});
  writer.put_value(IFLA_MTU, std::uint32_t{1500});
  return {RTM_GETLINK, flags, "look up", writer, true};
}

void ignore(std::size_t, const Frame&) {}

std::vector<std::string> names_by_libc() {
  std::vector<std::string> names;
  struct if_nameindex* list = if_nameindex();
  REQUIRE(list != nullptr);
  for (const auto* entry = list; entry->if_index != 0; ++entry) names.emplace_back(entry->if_name);
  if_freenameindex(list);
  return names;
}

// Half of what the kernel says: it doubles what was asked for, to have room for its own records.
std::size_t room_for_answers() {
  const auto sockets = tests::netlink_sockets();
  REQUIRE(sockets.size() == 1);
  int size = 0;
  socklen_t length = sizeof size;
  REQUIRE(getsockopt(sockets[0].descriptor, SOL_SOCKET, SO_RCVBUF, &size, &length) == 0);
  return static_cast<std::size_t>(size) / 2;
}

// A success for the first request of whoever has that port.
std::vector<std::byte> forged_ack(std::uint32_t port) {
  struct {
    nlmsghdr header;
    nlmsgerr ack;
  } message{};
  message.header = {.nlmsg_len = sizeof message,
                    .nlmsg_type = NLMSG_ERROR,
                    .nlmsg_flags = NLM_F_CAPPED,
                    .nlmsg_seq = 1,
                    .nlmsg_pid = port};
  const Bytes bytes = bytes_of(message);
  return {bytes.begin(), bytes.end()};
}

// In a process of its own, whose first netlink socket has the process's number for its port.
bool drops_what_a_process_sent() {
  Socket socket;
  const auto port = static_cast<std::uint32_t>(getpid());
  const Fd forger(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_pid = port;
  const auto forged = forged_ack(port);
  if (sendto(forger.get(), forged.data(), forged.size(), 0,
             reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return false;
  }
  const Request request = get(kAbsent);
  return socket.exchange({&request, 1}, ignore)[0].error == ENODEV;
}

constexpr std::size_t kMany = 3000;

// As a user that may not enlarge the receive buffer above the kernel's limit.
bool loses_no_answer_in_a_small_buffer() {
  constexpr uid_t kNobody = 65534;
  if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) return false;
  Socket socket;
  const std::vector<Request> batch(kMany, get(kLoopback));
  std::size_t answers = 0;
  const auto acks = socket.exchange(batch, [&](std::size_t, const Frame&) { ++answers; });
  return answers == kMany && std::ranges::count(acks, 0, &Ack::error) == kMany;
}

bool make_bridges(Socket& socket, const std::string& prefix, int count) {
  std::vector<Request> batch;
  for (int number = 0; number < count; ++number) {
    Link bridge;
    bridge.kind = "bridge";
    bridge.name = prefix + std::to_string(number);
    batch.push_back(requests::create(bridge));
  }
  const auto acks = socket.exchange(batch, ignore);
  return std::ranges::count(acks, 0, &Ack::error) == count;
}

// Lists the bridges of a namespace that has many: so many that they come in several datagrams. For
// the first `interruptions` tries, another bridge is made while they come.
struct InterruptedList {
  static constexpr int kBridges = 100;
  int made = 0;
  int tries = 0;
  std::size_t listed = 0;
  Ack ack;

  explicit InterruptedList(int interruptions) {
    Socket maker;
    Socket reader;
    if (!make_bridges(maker, "br", kBridges)) return;
    ack = reader.dump(
        requests::dump({.kind = "bridge", .master = std::nullopt, .statistics = false}),
        [&](std::size_t, const Frame&) {
          if (++listed != 1 || made == interruptions) return;
          make_bridges(maker, "more" + std::to_string(made) + "x", 1);
          ++made;
        },
        [&] {
          ++tries;
          listed = 0;
        });
  }
};

bool starts_an_interrupted_dump_anew() {
  const InterruptedList list(2);
  return list.ack.error == 0 && list.tries == 3 && list.made == 2 &&
         list.listed == InterruptedList::kBridges + 2;
}

bool gives_up_a_dump_that_is_always_interrupted() {
  const InterruptedList list(1000);
  return list.ack.error == EINTR && list.tries == list.made && list.tries > 3;
}

// A macvtap with so many sources that a message about it is longer than any of a dump's datagrams.
bool reads_a_link_of_many_kilobytes() {
  constexpr int kSources = 4000;
  Socket socket;
  if (!make_bridges(socket, "br", 1)) return false;
  std::vector<std::string> sources;
  for (int number = 0; number < kSources; ++number) {
    const HardwareAddress address{
        {'\2', 0, 0, 0, static_cast<char>(number / 256), static_cast<char>(number % 256)}};
    sources.push_back(address.format());
  }
  const Schema& schema = *find_kind("macvtap")->details;
  Link link;
  link.kind = "macvtap";
  link.name = "mv0";
  link.index = 300;
  link.parent = if_nametoindex("br0");
  link.details = schema.make();
  tests::set(*link.details, schema, "mode", std::string("source"));
  tests::set(*link.details, schema, "sourceMacs", sources);
  const std::array batch{requests::create(link), get(300)};
  std::optional<Link> read;
  std::size_t length = 0;
  const auto acks = socket.exchange(batch, [&](std::size_t, const Frame& frame) {
    length = frame.body.size();
    read = read_link(frame);
  });
  return acks[0].error == 0 && acks[1].error == 0 && read && length > (32U << 10U) &&
         !compare(link, *read, kLinkSchema);
}

}  // namespace

TEST_SUITE("socket") {
  TEST_CASE("a read gives the link and an ack") {
    Socket socket;
    const Request request = get(kLoopback);
    std::vector<Link> links;
    const auto acks = socket.exchange({&request, 1}, [&](std::size_t place, const Frame& frame) {
      CHECK(place == 0);
      auto link = read_link(frame);
      REQUIRE(link);
      links.push_back(std::move(*link));
    });
    REQUIRE(acks.size() == 1);
    CHECK(acks[0].error == 0);
    REQUIRE(links.size() == 1);
    CHECK(links[0].index == kLoopback);
    CHECK(links[0].name == "lo");
  }

  TEST_CASE("each request has its own answer, also after a refused one") {
    Socket socket;
    const std::array batch{get(kLoopback), get(kAbsent), refused_read(0),
                           requests::get(Reference::by_name("lo"), "look up")};
    std::vector<std::size_t> places;
    const auto acks =
        socket.exchange(batch, [&](std::size_t place, const Frame&) { places.push_back(place); });
    CHECK(places == std::vector<std::size_t>{0, 3});
    REQUIRE(acks.size() == 4);
    CHECK(acks[0].error == 0);
    CHECK(acks[1].error == ENODEV);
    CHECK(acks[2].error == EINVAL);
    CHECK_FALSE(acks[2].text.empty());
    CHECK(acks[3].error == 0);
  }

  TEST_CASE("nothing to send is nothing sent") {
    Socket socket;
    CHECK(socket.exchange({}, ignore).empty());
  }

  TEST_CASE("more requests than their answers have room for go out in several sends") {
    Socket socket;
    const std::vector<Request> batch(kMany, get(kLoopback));
    std::vector<int> answers(kMany);
    const seam::Scope counted;
    seam::arm({.at = std::numeric_limits<std::uint32_t>::max(), .error = EIO});
    const auto acks =
        socket.exchange(batch, [&](std::size_t place, const Frame&) { ++answers[place]; });
    const std::uint32_t calls = seam::disarm().calls;
    CHECK(std::ranges::count(answers, 1) == kMany);
    CHECK(std::ranges::count(acks, 0, &Ack::error) == kMany);
    if constexpr (seam::enabled) {
      // Each request has a link and an ack for its answer.
      CHECK(calls - socket.sends() < kMany * 2 / 10);
    }
    const std::size_t fit = room_for_answers() / batch[0].reply_cost();
    CHECK(socket.sends() >= (kMany + fit - 1) / fit);
    CHECK(socket.sends() < kMany / 10);
  }

  TEST_CASE("requests that belong together are not sent apart, whatever their size") {
    AttributeWriter writer(ifinfomsg{});
    writer.put(IFLA_IFALIAS, std::vector<std::byte>(40'000));
    const Request large{RTM_GETLINK, 0, "look up", writer};
    std::vector<Request> requests(4, large);
    Socket apart;
    apart.exchange(requests, ignore);
    CHECK(apart.sends() == 4);
    requests[0].with_next = requests[2].with_next = true;
    Socket together;
    together.exchange(requests, ignore);
    CHECK(together.sends() == 2);
  }

  TEST_CASE("no answer is lost in a small receive buffer") {
    CHECK(tests::run_in_child(loses_no_answer_in_a_small_buffer) == 0);
  }

  TEST_CASE("a link of many kilobytes is read whole") {
    tests::check_in_namespace(reads_a_link_of_many_kilobytes);
  }

  TEST_CASE("an answer that is longer than there is room for is lost, once") {
    Socket socket(512);
    const std::vector<Request> batch(5, get(kLoopback));
    std::string_view why;
    try {
      socket.exchange(batch, ignore);
    } catch (const Failure& failure) {
      why = failure.reason;
    }
    CHECK(why == reason::outcome_unknown);
    std::size_t links = 0;
    socket.exchange(batch, [&](std::size_t, const Frame& frame) {
      if (read_link(frame)) ++links;
    });
    CHECK(links == batch.size());
  }

  TEST_CASE("a dump gives every link") {
    Socket socket;
    std::vector<std::string> names;
    int restarts = 0;
    const Ack ack = socket.dump(
        requests::dump({}),
        [&](std::size_t, const Frame& frame) {
          if (auto link = read_link(frame)) names.push_back(*link->name);
        },
        [&] {
          ++restarts;
          names.clear();
        });
    CHECK(ack.error == 0);
    CHECK(restarts >= 1);
    CHECK(names == names_by_libc());
  }

  TEST_CASE("a dump can be refused, and the next one goes on") {
    Socket socket;
    const Ack refused = socket.dump(refused_read(NLM_F_DUMP), ignore, [] {});
    CHECK(refused.error == EINVAL);
    CHECK_FALSE(refused.text.empty());
    CHECK(socket.dump(requests::dump({}), ignore, [] {}).error == 0);
  }

  TEST_CASE("a dump during which links changed is done anew") {
    tests::check_in_namespace(starts_an_interrupted_dump_anew);
  }

  TEST_CASE("a dump during which links change every time ends as interrupted") {
    tests::check_in_namespace(gives_up_a_dump_that_is_always_interrupted);
  }

  TEST_CASE("its descriptor is closed on exec, and with it") {
    const std::size_t before = tests::open_descriptors();
    {
      const Socket socket;
      CHECK(tests::open_descriptors() == before + 1);
      const auto sockets = tests::netlink_sockets();
      REQUIRE(sockets.size() == 1);
      CHECK((fcntl(sockets[0].descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(tests::open_descriptors() == before);
  }

  TEST_CASE("an answer that a process wrote, not the kernel, is dropped") {
    tests::check_in_namespace(drops_what_a_process_sent);
  }
}
