#include "core/watch/link_news.h"

#include <doctest/doctest.h>

#include "core/link/kind.h"

using namespace flintap;

namespace {

LinkEvent whole(std::uint32_t index, std::string name) {
  LinkEvent event;
  event.index = index;
  event.link = std::make_unique<Link>();
  event.link->index = index;
  event.link->name = std::move(name);
  return event;
}

LinkEvent gone(std::uint32_t index) {
  LinkEvent event;
  event.index = index;
  event.removed = true;
  return event;
}

LinkEvent port(std::uint32_t index) {
  LinkEvent event;
  event.index = index;
  event.port = find_kind("bridge")->port->make();
  return event;
}

// A queue whose first listing had these, and was handed over.
LinkNewsQueue begun(std::initializer_list<std::uint32_t> indexes) {
  LinkNewsQueue queue;
  queue.begin_listing();
  for (const std::uint32_t index : indexes) queue.take_listed(whole(index, "was"));
  queue.end_listing();
  queue.hand_over(1'000);
  return queue;
}

}  // namespace

TEST_SUITE("link news") {
  TEST_CASE("of one link are one entry, however many events there were") {
    auto queue = begun({1});
    for (int times = 0; times < 10'000; ++times) queue.take(whole(1, "a"));
    queue.take(whole(1, "b"));
    CHECK(queue.size() == 1);
    const auto batch = queue.hand_over(10);
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].link->name == "b");
    CHECK_FALSE(batch[0].removed);
    CHECK(queue.empty());
  }

  TEST_CASE("of links that came and went in between are none") {
    auto queue = begun({});
    for (std::uint32_t index = 1; index < 10'000; ++index) {
      queue.take(whole(index, "a"));
      queue.take(gone(index));
    }
    CHECK(queue.empty());
  }

  TEST_CASE("tell of a link whose index another one has") {
    auto queue = begun({1});
    queue.take(gone(1));
    queue.take(whole(1, "new"));
    const auto batch = queue.hand_over(10);
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].removed);
    CHECK(batch[0].link->name == "new");
    queue.take(gone(1));
    CHECK(queue.hand_over(10)[0].removed);
    queue.take(gone(1));
    CHECK(queue.empty());
  }

  TEST_CASE("are handed over in the order in which they became news, as many as asked for") {
    auto queue = begun({});
    for (const std::uint32_t index : {3, 1, 2}) queue.take(whole(index, "a"));
    queue.take(whole(3, "b"));
    const auto first = queue.hand_over(2);
    REQUIRE(first.size() == 2);
    CHECK(first[0].index == 3);
    CHECK(first[0].link->name == "b");
    CHECK(first[1].index == 1);
    CHECK(queue.hand_over(2).size() == 1);
  }

  TEST_CASE("of a part go with the link, where that is news as well") {
    auto queue = begun({1});
    queue.take(port(1));
    auto batch = queue.hand_over(10);
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].port);
    CHECK_FALSE(batch[0].link);
    auto attached = whole(1, "a");
    attached.link->port_kind = "bridge";
    queue.take(std::move(attached));
    queue.take(port(1));
    batch = queue.hand_over(10);
    CHECK(batch[0].link->port);
    CHECK_FALSE(batch[0].port);
    queue.take(whole(1, "a"));
    queue.take(port(1));
    CHECK_FALSE(queue.hand_over(10)[0].link->port);
  }

  TEST_CASE("of a part of a link that nobody knows are none") {
    auto queue = begun({});
    queue.take(port(1));
    CHECK(queue.empty());
  }

  TEST_CASE("of a listing are what it has, and what it lacks") {
    auto queue = begun({1, 2, 3});
    queue.take(whole(4, "came, and went unheard"));
    queue.begin_listing();
    queue.take_listed(whole(1, "same"));
    queue.take_listed(whole(5, "new"));
    queue.end_listing();
    const auto batch = queue.hand_over(10);
    REQUIRE(batch.size() == 4);
    for (const LinkNews& news : batch) {
      CHECK(news.removed == (news.index == 2 || news.index == 3));
      CHECK_FALSE(news.initial);
    }
  }

  TEST_CASE("are initial until the first listing is complete") {
    LinkNewsQueue queue;
    queue.begin_listing();
    queue.take_listed(whole(1, "a"));
    queue.end_listing();
    queue.take(whole(2, "b"));
    const auto batch = queue.hand_over(10);
    CHECK(batch[0].initial);
    CHECK_FALSE(batch[1].initial);
  }
}
