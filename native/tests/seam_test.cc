// Faults at every system call of a socket. Without FLINTAP_TEST_SEAM there is nothing to test.
#include "core/system/seam.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "core/failure.h"
#include "core/link/requests.h"
#include "core/netlink/socket.h"
#include "core/system/system.h"
#include "tests/process.h"

using namespace flintap;
using namespace flintap::netlink;

#ifdef FLINTAP_TEST_SEAM

namespace {

Request get_loopback() { return requests::get(Reference::by_index(1), "look up"); }

// Makes the n-th call of `work` fail, for n = 1, 2, … until it is over before the n-th. `check` is
// told which call was struck, and the failure that it became, if it became one.
template <class Work, class Check>
std::uint32_t fail_each_call(Work work, Check check) {
  for (std::uint32_t at = 1;; ++at) {
    const seam::Scope counted;
    std::optional<Failure> failure;
    seam::arm({.at = at, .error = EIO});
    try {
      work();
    } catch (const Failure& thrown) {
      failure = thrown;
    }
    const seam::Report report = seam::disarm();
    if (report.struck.empty()) {
      CHECK_FALSE(failure);
      return at - 1;
    }
    CAPTURE(at);
    CAPTURE(report.struck.front());
    check(report.struck.front(), failure);
  }
}

bool die_at_a_call() {
  const seam::Scope counted;
  seam::arm({.at = 1, .error = 0});
  sys::open("/proc/self/stat", O_RDONLY);
  return true;
}

}  // namespace

TEST_SUITE("seam") {
  TEST_CASE("a call that fails while a socket is opened leaves no descriptor") {
    const std::size_t before = tests::open_descriptors();
    int survived = 0;
    const std::uint32_t calls =
        fail_each_call([] { const Socket socket; },
                       [&](const std::string&, const std::optional<Failure>& failure) {
                         CHECK(tests::open_descriptors() == before);
                         if (failure) CHECK(failure->error == EIO);
                         if (!failure) ++survived;
                       });
    CHECK(calls >= 9);
    // SO_RCVBUFFORCE, which most may not use, and the close at the end.
    CHECK(survived == 2);
  }

  TEST_CASE("a call that fails in an exchange is a failure, and the next exchange is whole") {
    Socket socket;
    const std::vector<Request> batch(3, get_loopback());
    const auto ignore = [](std::size_t, const Frame&) {};
    const std::uint32_t calls = fail_each_call(
        [&] { socket.exchange(batch, ignore); },
        [&](const std::string& struck, const std::optional<Failure>& failure) {
          REQUIRE(failure);
          CHECK(failure->error == EIO);
          const bool sent = struck != "sendmsg";
          CHECK(failure->reason == (sent ? reason::outcome_unknown : reason::kernel));
          // The answers to the exchange before are still there, and are none of this one's.
          std::vector<std::size_t> places;
          const auto acks = socket.exchange(batch, [&](std::size_t place, const Frame& frame) {
            CHECK(read_link(frame)->name == "lo");
            places.push_back(place);
          });
          CHECK(places == std::vector<std::size_t>{0, 1, 2});
          for (const Ack& ack : acks) CHECK(ack.error == 0);
        });
    // One send; the three links and three acks are read by one call.
    CHECK(calls == 1 + 1);
  }

  TEST_CASE("calls are counted in a scope only") {
    const auto calls_of = [](auto work) {
      seam::arm({.at = 1000, .error = EIO});
      work();
      return seam::disarm().calls;
    };
    const auto look = [] { sys::read_small_file(AT_FDCWD, "/proc/self/comm"); };
    CHECK(calls_of(look) == 0);
    CHECK(calls_of([&] {
            const seam::Scope counted;
            look();
          }) == 3);
    CHECK(calls_of([&] {
            { const seam::Scope counted; }
            look();
          }) == 0);
  }

  TEST_CASE("what belongs to one plan is not counted by the next") {
    const auto look = [] { sys::read_small_file(AT_FDCWD, "/proc/self/comm"); };
    seam::arm({.at = 1000, .error = EIO});
    const seam::Scope counted(seam::Counted::by_this_plan);
    look();
    CHECK(seam::disarm().calls == 3);
    seam::arm({.at = 1000, .error = EIO});
    look();
    CHECK(seam::disarm().calls == 0);
  }

  TEST_CASE("a struck call says which one it was, and sets errno") {
    const seam::Scope counted;
    seam::arm({.at = 1, .error = ENOSPC});
    errno = 0;
    CHECK_FALSE(sys::open("/proc/self/comm", O_RDONLY).valid());
    CHECK(errno == ENOSPC);
    CHECK(sys::open("/proc/self/comm", O_RDONLY).valid());
    CHECK(seam::disarm().struck == std::vector<std::string>{"openat"});
  }

  TEST_CASE("a close that fails has closed") {
    const std::size_t before = tests::open_descriptors();
    Fd file = sys::open("/proc/self/comm", O_RDONLY);
    CHECK(tests::open_descriptors() == before + 1);
    const seam::Scope counted;
    seam::arm({.at = 1, .error = EIO});
    file.reset();
    CHECK(seam::disarm().struck == std::vector<std::string>{"close"});
    CHECK(tests::open_descriptors() == before);
  }

  TEST_CASE(
      "a second call fails, every later one, or the first of a name; a refused one is not "
      "counted") {
    const auto struck_by = [](const seam::Plan& plan) {
      const seam::Scope counted;
      seam::arm(plan);
      for (int times = 0; times < 4; ++times) sys::open("/proc/self/comm", O_RDONLY).reset();
      return seam::disarm();
    };
    using Names = std::vector<std::string>;
    // Each of the four is an openat, and a close if it was opened.
    CHECK(struck_by({.at = 1, .error = EIO, .and_at = 3}).struck == Names{"openat", "close"});
    CHECK(struck_by({.at = 6, .error = EIO, .from_then_on = true}).struck ==
          Names{"close", "openat"});
    CHECK(struck_by({.error = EIO, .first_of = {"close", "openat"}}).struck ==
          Names{"openat", "close"});
    CHECK(struck_by({.at = 1, .error = EIO, .refused = "openat"}).calls == 0);
  }

  TEST_CASE("with the error 0 the process is killed at the call") {
    const int status = tests::run_in_child(die_at_a_call);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
  }
}

#endif
