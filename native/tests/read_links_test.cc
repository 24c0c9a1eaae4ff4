// getLink of many at once and listLinks, against the kernel of this machine.
#include <doctest/doctest.h>

#include <limits>

#include "core/link/requests.h"
#include "core/operations/operation.h"
#include "tests/bridges.h"
#include "tests/process.h"
#include "tests/value.h"

using namespace flintap;

namespace {

std::unique_ptr<Job> job_for(const Operation& operation, Reference link, bool statistics) {
  auto job = std::make_unique<Job>();
  job->request = operation.request->make();
  auto owned = std::make_unique<Reference>(std::move(link));
  tests::set(*job->request, *operation.request, "link",
             Nested{.schema = &kReferenceSchema, .owned = std::move(owned)});
  tests::set(*job->request, *operation.request, "statistics", statistics);
  tests::set(*job->request, *operation.request, "unknown", false);
  return job;
}

// A list that is interrupted when its first part is told: a bridge is made then.
bool takes_back_what_was_told_of_an_interrupted_list() {
  constexpr int kBridges = 2 * static_cast<int>(kLinksAtATime);
  netlink::Socket maker;
  if (!tests::make_bridges(maker, "br", kBridges)) return false;
  const Operation& operation = *find_operation("listLinks");
  const auto request = operation.request->make();
  tests::set(*request, *operation.request, "kind", std::string("bridge"));
  tests::set(*request, *operation.request, "statistics", false);
  tests::set(*request, *operation.request, "unknown", false);
  std::size_t links = 0;
  std::vector<std::size_t> taken_back;
  Context context;
  context.tell = [&](const std::optional<LinkList::Part>& part) {
    if (links == 0 && taken_back.empty()) tests::make_bridges(maker, "more", 1);
    if (!part) taken_back.push_back(std::exchange(links, 0));
    if (part) links += part->links;
  };
  auto outcome = operation.run(context, *request);
  for (const LinkList::Part& part : outcome.listing.take()) links += part.links;
  return taken_back.size() == 1 && taken_back[0] >= kLinksAtATime && links == kBridges + 1;
}

}  // namespace

TEST_SUITE("getLink") {
  TEST_CASE("of many at once is one send, and each has its own answer") {
    const Operation& operation = *find_operation("getLink");
    const std::uint32_t absent = std::numeric_limits<std::int32_t>::max();
    const std::array jobs{job_for(operation, Reference::by_name("lo"), true),
                          job_for(operation, Reference::by_index(absent), false),
                          job_for(operation, Reference::by_index(1), false)};
    const std::array together{jobs[0].get(), jobs[1].get(), jobs[2].get()};
    Context context;
    operation.run_together(context, together);
    CHECK(context.sends() == 1);
    for (const std::size_t place : {0U, 2U}) {
      CHECK_FALSE(jobs[place]->failure);
      REQUIRE(jobs[place]->outcome.links.size() == 1);
      CHECK(jobs[place]->outcome.links[0].name == "lo");
    }
    REQUIRE(jobs[1]->failure);
    CHECK(jobs[1]->failure->reason == reason::no_such_link);
    CHECK(jobs[0]->outcome.links[0].statistics);
    CHECK_FALSE(jobs[2]->outcome.links[0].statistics);
  }

  TEST_CASE("of none is nothing") {
    Context context;
    find_operation("getLink")->run_together(context, {});
    CHECK(context.sends() == 0);
  }
}

TEST_SUITE("listLinks") {
  TEST_CASE("takes back what it told of a dump that was interrupted") {
    tests::check_in_namespace(takes_back_what_was_told_of_an_interrupted_list);
  }
}
