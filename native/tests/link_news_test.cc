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

std::vector<LinkEvent> listing(std::initializer_list<std::uint32_t> indexes) {
  std::vector<LinkEvent> all;
  for (const std::uint32_t index : indexes) all.push_back(whole(index, "listed"));
  return all;
}

// A queue whose first listing had these, and was handed over.
LinkNewsQueue begun(std::initializer_list<std::uint32_t> indexes) {
  LinkNewsQueue queue;
  queue.take_listing(listing(indexes));
  queue.hand_over();
  return queue;
}

}  // namespace

TEST_SUITE("link news") {
  TEST_CASE("of one link are one entry, however many events there were") {
    auto queue = begun({1});
    for (int times = 0; times < 10'000; ++times) queue.take(whole(1, "a"));
    queue.take(whole(1, "b"));
    CHECK(queue.size() == 1);
    const auto batch = queue.hand_over();
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
    const auto batch = queue.hand_over();
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].removed);
    CHECK(batch[0].link->name == "new");
    queue.take(gone(1));
    CHECK(queue.hand_over()[0].removed);
    queue.take(gone(1));
    CHECK(queue.empty());
  }

  TEST_CASE("are handed over in the order in which they became news") {
    auto queue = begun({});
    for (const std::uint32_t index : {3U, 1U, 2U}) queue.take(whole(index, "a"));
    queue.take(whole(3, "b"));
    const auto all = queue.hand_over();
    REQUIRE(all.size() == 3);
    CHECK(all[0].index == 3);
    CHECK(all[0].link->name == "b");
    CHECK(all[1].index == 1);
    CHECK(all[2].index == 2);
    queue.take(gone(1));
    CHECK(queue.hand_over().front().removed);
  }

  TEST_CASE("of a part go with the link, where that is news as well") {
    auto queue = begun({1});
    queue.take(port(1));
    auto batch = queue.hand_over();
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].port);
    CHECK_FALSE(batch[0].link);
    auto attached = whole(1, "a");
    attached.link->port_kind = "bridge";
    queue.take(std::move(attached));
    queue.take(port(1));
    batch = queue.hand_over();
    CHECK(batch[0].link->port);
    CHECK_FALSE(batch[0].port);
    queue.take(whole(1, "a"));
    queue.take(port(1));
    CHECK_FALSE(queue.hand_over()[0].link->port);
  }

  TEST_CASE("of a part of a link that nobody knows are none") {
    auto queue = begun({});
    queue.take(port(1));
    CHECK(queue.empty());
  }

  TEST_CASE("of a listing are what it lacks, and then what it has") {
    auto queue = begun({1, 2, 3});
    queue.take(whole(4, "came, and went unheard"));
    queue.take_listing(listing({1, 5}));
    const auto batch = queue.hand_over();
    REQUIRE(batch.size() == 4);
    for (std::size_t place = 0; place < batch.size(); ++place) {
      CHECK(batch[place].removed == (place < 2));
      CHECK_FALSE(batch[place].initial);
    }
    CHECK(batch[0].index + batch[1].index == 5);
    CHECK(batch[2].index == 1);
    CHECK(batch[3].index == 5);
  }

  TEST_CASE("of a listing end what is still to be told of a link that has gone since") {
    auto queue = begun({1});
    queue.take(whole(1, "changed"));
    queue.take(whole(2, "new"));
    queue.take_listing(listing({}));
    const auto batch = queue.hand_over();
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].index == 1);
    CHECK(batch[0].removed);
    CHECK_FALSE(batch[0].link);
  }

  TEST_CASE("are initial until the first listing is complete") {
    LinkNewsQueue queue;
    queue.take(whole(3, "came while it was made"));
    queue.take_listing(listing({1, 3}));
    queue.take(whole(2, "new"));
    const auto all = queue.hand_over();
    REQUIRE(all.size() == 3);
    CHECK(all[0].initial);
    CHECK(all[1].initial);
    CHECK_FALSE(all[2].initial);
  }
}
