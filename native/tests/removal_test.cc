// Deletions as the operation thread sees them, in a network namespace of the test's own.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <mutex>
#include <vector>

#include "core/operations/removal.h"
#include "core/operations/transact.h"
#include "core/system/seam.h"
#include "core/system/system.h"
#include "tests/process.h"

using namespace flintap;
using namespace flintap::tests;

namespace {

constexpr std::uint32_t kIndex = 1'234'567;

void add_bridge(Context& context, std::uint32_t index) {
  Link bridge;
  bridge.index = index;
  bridge.name = "bridge" + std::to_string(index);
  bridge.kind = "bridge";
  const netlink::Request request = requests::create(bridge);
  transact(context, {&request, 1}, *bridge.name);
}

netlink::Request removal_of(std::uint32_t index) {
  return requests::remove(Reference::by_index(index), "delete");
}

bool exists(Context& context, std::uint32_t index) {
  const netlink::Request question = requests::get(Reference::by_index(index), "look up");
  return ask(context, {&question, 1})[0].ack.error == 0;
}

// What was reported late.
class Reports {
 public:
  ReportLate callback() {
    return [this](const Failure& failure) {
      const std::scoped_lock lock(mutex_);
      reported_.push_back(failure);
    };
  }
  std::vector<Failure> all() {
    const std::scoped_lock lock(mutex_);
    return reported_;
  }

 private:
  std::mutex mutex_;
  std::vector<Failure> reported_;
};

bool is_gone_before_it_settles() {
  Context context;
  add_bridge(context, kIndex);
  Indexes waiting{kIndex};
  const auto removal =
      remove_links(context, context.senders().take_idle(), removal_of(kIndex), "bridge", waiting);
  return !removal.failure && waiting.empty() && !exists(context, kIndex);
}

bool a_refusal_is_the_answer() {
  Context context;
  Reports reports;
  context.report_late = reports.callback();
  Indexes waiting{kIndex};
  const auto removal =
      remove_links(context, context.senders().take_idle(), removal_of(kIndex), "bridge", waiting);
  return removal.failure && removal.failure->error == ENODEV &&
         removal.failure->reason == reason::no_such_link && removal.failure->device == "bridge" &&
         removal.told_all && waiting.contains(kIndex) && reports.all().empty();
}

bool links_that_stay_are_left() {
  Context context;
  for (const std::uint32_t index : {kIndex, kIndex + 1}) add_bridge(context, index);
  Indexes waiting{kIndex, kIndex + 1};
  const auto removal =
      remove_links(context, context.senders().take_idle(), removal_of(kIndex), "bridge", waiting);
  return !removal.failure && removal.told_all && waiting == Indexes{kIndex + 1};
}

// Sends what is no deletion, although it comes with an RTM_DELLINK for the link. A veth's: the
// kernel chooses the name of its other end.
bool is_no_deletion(Context& context, const netlink::Request& request) {
  Indexes waiting{kIndex};
  const auto removal =
      remove_links(context, context.senders().take_idle(), request, "veth", waiting);
  return !removal.failure && removal.told_all && waiting.contains(kIndex);
}

void add_veth(Context& context) {
  Link veth;
  veth.index = kIndex;
  veth.name = "end";
  veth.kind = "veth";
  const netlink::Request request = requests::create(veth);
  transact(context, {&request, 1}, "end");
}

bool a_port_that_leaves_its_bridge_stays() {
  Context context;
  add_veth(context);
  add_bridge(context, kIndex + 1);
  Link port;
  port.master = kIndex + 1;
  const Reference end = Reference::by_index(kIndex);
  const netlink::Request attach = requests::change(end, "attach", port);
  transact(context, {&attach, 1}, "end");
  port.master = 0;
  return is_no_deletion(context, requests::change(end, "detach", port)) && exists(context, kIndex);
}

bool a_link_that_moves_is_not_deleted() {
  const Fd elsewhere = sys::open("/proc/thread-self/ns/net", O_RDONLY);
  if (unshare(CLONE_NEWNET) != 0) return false;
  Context context;
  add_veth(context);
  const netlink::Request move =
      requests::move(Reference::by_index(kIndex), "move",
                     {.network_namespace = elsewhere.get(), .index = {}, .name = {}});
  return is_no_deletion(context, move) && !exists(context, kIndex);
}

bool more_than_there_are_senders() {
  const auto threads_before = running_threads();
  Context context;
  for (std::uint32_t index = kIndex; index < kIndex + 20; ++index) {
    add_bridge(context, index);
    Indexes waiting{index};
    remove_links(context, context.senders().take_idle(), removal_of(index), "bridge", waiting);
    if (!waiting.empty() || exists(context, index)) return false;
  }
  const bool within_limit = running_threads() <= threads_before + 8;
  context = Context();
  return within_limit && comes_down_to(threads_before);
}

#ifdef FLINTAP_TEST_SEAM

// Deletes a bridge while its sender stands before it reads the answer, so by the event alone; of
// the sender's later calls, those from the `at`-th on fail.
bool settles_before_the_answer(std::uint32_t at, Reports& reports) {
  Context context;
  context.report_late = reports.callback();
  add_bridge(context, kIndex);
  // Only the sender's calls are counted: it sends, and reads the answer.
  seam::arm({.at = at, .error = EIO, .pause_at = 2});
  Indexes waiting{kIndex};
  const auto removal =
      remove_links(context, context.senders().take_idle(), removal_of(kIndex), "bridge", waiting);
  const bool gone = !removal.failure && waiting.empty() && !exists(context, kIndex);
  seam::resume();
  context = Context();
  seam::disarm();
  return gone;
}

bool needs_no_answer() {
  Reports reports;
  return settles_before_the_answer(0, reports) && reports.all().empty();
}

bool reports_what_comes_late() {
  Reports reports;
  if (!settles_before_the_answer(2, reports)) return false;
  const auto all = reports.all();
  return all.size() == 1 && all[0].error == EIO && all[0].device == "bridge" &&
         all[0].reason == reason::outcome_unknown;
}

bool reports_to_nobody() {
  Context context;
  add_bridge(context, kIndex);
  seam::arm({.at = 2, .error = EIO, .pause_at = 2});
  Indexes waiting{kIndex};
  remove_links(context, context.senders().take_idle(), removal_of(kIndex), "bridge", waiting);
  seam::resume();
  context = Context();
  seam::disarm();
  return waiting.empty();
}

#endif

}  // namespace

TEST_SUITE("remove links") {
  TEST_CASE("a link is gone when its deletion settles") {
    check_in_namespace(is_gone_before_it_settles);
  }

  TEST_CASE("a refusal is the answer, and not reported late") {
    check_in_namespace(a_refusal_is_the_answer);
  }

  TEST_CASE("a link of which no event tells is left when the kernel has answered") {
    check_in_namespace(links_that_stay_are_left);
  }

  TEST_CASE("a port that leaves its bridge is not taken for deleted") {
    check_in_namespace(a_port_that_leaves_its_bridge_stays);
  }

  TEST_CASE("a link that moves to another namespace is not taken for deleted") {
    check_in_namespace(a_link_that_moves_is_not_deleted);
  }

  TEST_CASE("of many one after the other some wait for a sender, and all end with the context") {
    check_in_namespace(more_than_there_are_senders);
  }

#ifdef FLINTAP_TEST_SEAM
  TEST_CASE("a deletion settles by its event, before there is an answer") {
    check_in_namespace(needs_no_answer);
  }

  TEST_CASE("a failure after that is reported late") {
    check_in_namespace(reports_what_comes_late);
  }

  TEST_CASE("a failure after that for which nobody cares is dropped") {
    check_in_namespace(reports_to_nobody);
  }
#endif
}
