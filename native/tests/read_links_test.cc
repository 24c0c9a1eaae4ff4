// getLink of many at once, against the kernel of this machine.
#include <doctest/doctest.h>

#include <limits>

#include "core/link/requests.h"
#include "core/operations/operation.h"
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
