#include "core/json/link_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flintap;

namespace {

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

  TEST_CASE("comes in parts, of which all but the last are whole") {
    LinkList list;
    add(list, 2 * kLinksAtATime + 1);
    const auto parts = list.take();
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].links == kLinksAtATime);
    CHECK(parts[1].links == kLinksAtATime);
    CHECK(parts[2].text == R"([{"index":129}])");
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
