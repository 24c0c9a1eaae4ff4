#include "core/json/link_list.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace flintap;

namespace {

// What a list tells: of each part its links, 0 for "forget them all".
struct Told {
  std::vector<std::size_t> links;

  LinkList::Tell callback() {
    return [this](const std::optional<LinkList::Part>& part) {
      links.push_back(part ? part->links : 0);
    };
  }
};

void add(LinkList& list, std::size_t count) {
  for (std::size_t index = 1; index <= count; ++index) {
    Link link;
    link.index = static_cast<std::uint32_t>(index);
    list.add(link);
  }
}

}  // namespace

TEST_SUITE("a list of links") {
  TEST_CASE("of none is one empty part") {
    const auto parts = LinkList().take();
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == "[]");
    CHECK(parts[0].links == 0);
  }

  TEST_CASE("keeps its parts where nobody is told of them") {
    LinkList list;
    add(list, 2 * kLinksAtATime + 1);
    const auto parts = list.take();
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].links == kLinksAtATime);
    CHECK(parts[1].links == kLinksAtATime);
    CHECK(parts[2].text == R"([{"index":257}])");
  }

  TEST_CASE("tells each part but the last when the next begins") {
    Told told;
    LinkList list(Unknown::left_out, told.callback());
    add(list, kLinksAtATime);
    CHECK(told.links.empty());
    add(list, 1);
    CHECK(told.links == std::vector{kLinksAtATime});
    const auto parts = list.take();
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == R"([{"index":1}])");
  }

  TEST_CASE("begins anew, and takes back only what was told") {
    Told told;
    LinkList list(Unknown::left_out, told.callback());
    add(list, 3);
    list.restart();
    CHECK(told.links.empty());
    add(list, kLinksAtATime + 3);
    list.restart();
    list.restart();
    CHECK(told.links == std::vector<std::size_t>{kLinksAtATime, 0});
    add(list, 1);
    const auto parts = list.take();
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].text == R"([{"index":1}])");
  }

  TEST_CASE("has what is unknown where that is asked for") {
    Link link;
    link.unknown.put_value<std::uint32_t>(9999, 7);
    for (const auto& [unknown, text] :
         {std::pair{Unknown::left_out, "[{}]"},
          std::pair{Unknown::given, R"([{"unknown":"CAAPJwcAAAA="}])"}}) {
      LinkList list(unknown);
      list.add(link);
      CHECK(list.take()[0].text == text);
    }
  }
}
