#include "core/executor/settlement.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cerrno>
#include <string>

#include "tests/process.h"

using namespace flintap;
using namespace std::chrono_literals;

namespace {

Outcome nothing(Context&, Record&) { return {}; }

constexpr Operation settled_operation{"getLink", nullptr, nothing};

// Waited for 1.5 ms, ran for 2 ms, with three sends.
void fill(Task& task) {
  task.operation = &settled_operation;
  task.sends = 3;
  task.submitted = {};
  task.begun = task.submitted + 1500us;
  task.ended = task.begun + 2ms;
}

constexpr std::string_view kWork = R"("work":{"sends":3,"waited":1.5,"ran":2}})";

void add_links(Task& task, std::size_t count) {
  for (std::size_t index = 1; index <= count; ++index) {
    task.outcome.links.emplace_back().index = static_cast<std::uint32_t>(index);
  }
}

std::vector<Settlement> settled_with(std::size_t links) {
  Task task;
  fill(task);
  add_links(task, links);
  return settle(task, 7);
}

// The indexes from one to another, as a part names them.
std::string links_in_json(std::size_t from, std::size_t to) {
  std::string text = R"("links":[)";
  for (std::size_t index = from; index <= to; ++index) {
    if (index > from) text += ',';
    text += R"({"index":)" + std::to_string(index) + "}";
  }
  return text + "]";
}

Failure full_failure() {
  Failure failure(EBUSY, reason::setting_ignored, "read back", "mv0");
  failure.kernel_text = "a \"reason\"";
  failure.attribute = "mtu";
  failure.expected = "9000";
  failure.actual = "1500";
  failure.on = "enp0";
  failure.existing = {"br0", "br1"};
  failure.existing_more = 4;
  failure.holder = Holder{.name = "qemu", .kind = {}, .alias = {}, .pid = 42};
  failure.left_behind = {"mv0", "mv1"};
  return failure;
}

}  // namespace

TEST_SUITE("settlement") {
  TEST_CASE("an outcome without links is one part") {
    const auto parts = settled_with(0);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == R"({"number":7,"links":[],"fds":[],)" + std::string(kWork));
    CHECK(parts[0].is_last);
    CHECK_FALSE(parts[0].is_end);
    CHECK(parts[0].is_ascii);
    CHECK(parts[0].links == 0);
  }

  TEST_CASE("an outcome has everything that the operation gives") {
    Task task;
    fill(task);
    task.outcome.boot_id = "boot";
    task.outcome.machine_id = "machine";
    task.outcome.network_namespace = 4'026'531'840;
    task.outcome.links.emplace_back().name = "mv\xC3\xBC";
    task.outcome.fds.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::string fd = std::to_string(task.outcome.fds[0].get());
    const auto parts = settle(task, 7);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == R"({"number":7,"links":[{"name":"mvü"}],"fds":[)" + fd +
                               R"(],"bootId":"boot","machineId":"machine",)" +
                               R"("namespace":4026531840,)" + std::string(kWork));
    CHECK_FALSE(parts[0].is_ascii);
    CHECK(parts[0].links == 1);
    CHECK(parts[0].fds.size() == 1);
    CHECK(task.outcome.fds.empty());
  }

  TEST_CASE("a descriptor whose settlement is dropped is closed") {
    const std::size_t before = tests::open_descriptors();
    Task task;
    fill(task);
    task.outcome.fds.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    settle(task, 7);
    CHECK(tests::open_descriptors() == before);
  }

  TEST_CASE("a long list comes in parts, of which the last says how the operation ended") {
    constexpr std::size_t kOne = kLinksAtATime;
    constexpr std::size_t kTwo = 2 * kLinksAtATime;
    CHECK(settled_with(kOne).size() == 1);
    CHECK(settled_with(kOne + 1).size() == 2);
    const auto parts = settled_with(kTwo + 2);
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].text == R"({"number":7,"more":true,)" + links_in_json(1, kOne) + "}");
    CHECK(parts[1].text == R"({"number":7,"more":true,)" + links_in_json(kOne + 1, kTwo) + "}");
    CHECK(parts[2].text == R"({"number":7,)" + links_in_json(kTwo + 1, kTwo + 2) + R"(,"fds":[],)" +
                               std::string(kWork));
    for (const std::size_t early : {0U, 1U}) {
      CHECK_FALSE(parts[early].is_last);
      CHECK(parts[early].links == kLinksAtATime);
    }
    CHECK(parts[2].is_last);
    CHECK(parts[2].links == 2);
  }

  TEST_CASE("a failure says all that is known") {
    Task task;
    fill(task);
    task.failure = full_failure();
    CHECK(settle(task, 7).at(0).text ==
          R"({"number":7,"failure":{"errno":16,"reason":"setting-ignored","operation":"getLink",)"
          R"("step":"read back","device":"mv0","kernelMessage":"a \"reason\"",)"
          R"("attribute":"mtu","expected":"9000","actual":"1500","on":"enp0",)"
          R"("holder":{"name":"qemu","pid":42},"existing":["br0","br1"],"existingMore":4,)"
          R"("leftBehind":["mv0","mv1"]},)" +
              std::string(kWork));
  }

  TEST_CASE("a failure leaves out what is not known") {
    JsonWriter json;
    write_json(json, Failure(ENODEV, reason::no_such_link, "look up"), "getLink");
    CHECK(json.text() ==
          R"({"errno":19,"reason":"no-such-link","operation":"getLink","step":"look up"})");
  }

  TEST_CASE("that no bridge exists is said, and a link that holds something is told by its kind") {
    Failure failure(0, reason::no_such_bridge, "look up");
    failure.existing.emplace();
    failure.holder = Holder{.name = "br0", .kind = "bridge", .alias = {}};
    JsonWriter json;
    write_json(json, failure, "attachToBridge");
    CHECK(json.text().ends_with(
        R"("holder":{"name":"br0","kind":"bridge","alias":""},"existing":[]})"));
  }

  TEST_CASE("a wrong request is told, and nothing else") {
    Task task;
    fill(task);
    task.wrong = "getLink.link: expected an object";
    CHECK(settle(task, 7).at(0).text ==
          R"({"number":7,"wrong":"getLink.link: expected an object",)" + std::string(kWork));
  }

  TEST_CASE("the end of the thread has a number as well") {
    Task task;
    const auto parts = settle(task, 8);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == R"({"number":8,"links":[],"fds":[]})");
    CHECK(parts[0].is_last);
    CHECK(parts[0].is_end);
  }

  TEST_CASE("what went wrong later settles nothing") {
    const auto parts = settle_late(Failure(EIO, reason::kernel, "remove", "mv0"));
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == R"({"late":{"errno":5,"reason":"kernel","operation":"deleteLink",)"
                           R"("step":"remove","device":"mv0"}})");
    CHECK_FALSE(parts[0].is_last);
    CHECK_FALSE(parts[0].is_end);
  }
}
