// Which calls an executor runs together, and what each of them gets.
#include <doctest/doctest.h>

#include <cerrno>
#include <future>

#include "core/executor/executor.h"
#include "core/schema/field.h"
#include "tests/finished.h"

using namespace flintap;
using tests::Finished;

namespace {

struct CountRequest : Record {
  std::optional<std::uint32_t> number;
};

constexpr std::array count_fields{required(option<&CountRequest::number>("number"))};
constexpr Schema count_schema{"count", count_fields, make_record<CountRequest>};

using Numbers = std::vector<std::uint32_t>;

// The numbers of those that ran together; written on the operation thread, read when it is done.
std::vector<Numbers>& rounds() {
  static std::vector<Numbers> all;
  return all;
}

std::uint32_t number_of(const Record& request) {
  return static_cast<const CountRequest&>(request).number.value();
}

Outcome run_alone(Context&, Record& request) {
  rounds().push_back({number_of(request)});
  return {};
}

// Odd ones fail.
void run_all(Context&, std::span<Job* const> jobs) {
  Numbers& round = rounds().emplace_back();
  for (Job* job : jobs) {
    round.push_back(number_of(*job->request));
    if (round.back() % 2 != 0) job->failure.emplace(ENODEV, reason::no_such_link, "count");
  }
}

constexpr Operation together{"together", &count_schema, nullptr, run_all};
constexpr Operation alone{"alone", &count_schema, run_alone};

std::unique_ptr<Task> call(const Operation& operation, std::string text) {
  auto task = std::make_unique<Task>();
  task->operation = &operation;
  task->text = std::move(text);
  return task;
}

std::unique_ptr<Task> call(const Operation& operation, std::size_t number) {
  return call(operation, R"({"number":)" + std::to_string(number) + "}");
}

using Tasks = std::vector<std::unique_ptr<Task>>;

// Submits all at once, and gives them back.
Tasks run(Tasks tasks) {
  rounds().clear();
  const std::size_t count = tasks.size();
  Finished finished;
  Executor executor(finished.callback(), nullptr);
  executor.submit(std::move(tasks));
  return finished.wait_for(count);
}

}  // namespace

TEST_SUITE("calls that run together") {
  TEST_CASE("are those of one operation that stand one behind the other") {
    Tasks tasks;
    std::size_t number = 0;
    for (const Operation* operation : {&together, &together, &alone, &alone, &together, &alone,
                                       &together, &together, &together}) {
      tasks.push_back(call(*operation, ++number));
    }
    CHECK(run(std::move(tasks)).size() == 9);
    CHECK(rounds() == std::vector<Numbers>{{1, 2}, {3}, {4}, {5}, {6}, {7, 8, 9}});
  }

  TEST_CASE("are so many and no more") {
    Tasks tasks;
    for (std::size_t number = 0; number < 2 * kMostTogether + 3; ++number) {
      tasks.push_back(call(together, number));
    }
    run(std::move(tasks));
    REQUIRE(rounds().size() == 3);
    CHECK(rounds()[0].size() == kMostTogether);
    CHECK(rounds()[1].size() == kMostTogether);
    CHECK(rounds()[2].size() == 3);
  }

  TEST_CASE("come back in their order, each with its own end") {
    Tasks tasks;
    for (std::size_t number = 0; number < 4; ++number) tasks.push_back(call(together, number));
    const Tasks done = run(std::move(tasks));
    for (std::size_t number = 0; number < 4; ++number) {
      CHECK(number_of(*done[number]->request) == number);
      CHECK(done[number]->failure.has_value() == (number % 2 != 0));
      CHECK(done[number]->begun >= done[number]->submitted);
      CHECK(done[number]->ended >= done[number]->begun);
    }
  }

  TEST_CASE("are without those that were given up") {
    Tasks tasks;
    for (std::size_t number = 0; number < 5; ++number) tasks.push_back(call(together, 2 * number));
    for (const std::size_t given_up : {0U, 3U}) CHECK(tasks[given_up]->cancellation.request());
    const Tasks done = run(std::move(tasks));
    CHECK(rounds() == std::vector<Numbers>{{2, 4, 8}});
    for (std::size_t at = 0; at < done.size(); ++at) {
      REQUIRE(done[at]->failure.has_value() == (at == 0 || at == 3));
      if (done[at]->failure) CHECK(done[at]->failure->reason == reason::aborted);
    }
  }

  TEST_CASE("are not run at all where all were given up") {
    for (const Operation* operation : {&together, &alone}) {
      Tasks tasks;
      tasks.push_back(call(*operation, 1));
      CHECK(tasks[0]->cancellation.request());
      CHECK(run(std::move(tasks))[0]->failure->reason == reason::aborted);
      CHECK(rounds().empty());
    }
  }

  TEST_CASE("are without those whose request is wrong, of which it is said what is") {
    Tasks tasks;
    tasks.push_back(call(together, 2));
    tasks.push_back(call(together, R"({"number":"three"})"));
    tasks.push_back(call(together, R"({"number":)"));
    tasks.push_back(call(together, 4));
    tasks.push_back(call(alone, "{}"));
    tasks.push_back(call(alone, 6));
    const Tasks done = run(std::move(tasks));
    CHECK(rounds() == std::vector<Numbers>{{2, 4}, {6}});
    CHECK_FALSE(done[0]->wrong);
    CHECK(done[1]->wrong.value_or("").starts_with("together.number: expected "));
    CHECK(done[2]->wrong == "together: expected JSON");
    CHECK_FALSE(done[3]->wrong);
    CHECK(done[4]->wrong.value_or("").starts_with("alone.number: expected "));
    CHECK_FALSE(done[5]->wrong);
    for (const auto& task : done) CHECK_FALSE(task->failure);
  }
}
