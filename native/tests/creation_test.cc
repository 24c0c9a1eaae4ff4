// Which calls of a create go together, and which wait for what becomes of an earlier one.
#include "core/operations/creation.h"

#include <doctest/doctest.h>

#include "core/operations/claims.h"

using namespace flintap;

namespace {

// Calls on their way, as their requests say.
class Calls {
 public:
  Making& add(const std::string& name, std::optional<Reference> on = std::nullopt) {
    Making making;
    making.wanted.name = name;
    making.wanted.index = 1'000'001 + static_cast<std::uint32_t>(creations_.size());
    std::vector<Making> links;
    links.push_back(std::move(making));
    auto& creation = *creations_.emplace_back(std::make_unique<Creation>(job_, std::move(links)));
    if (on) {
      bases_.push_back(std::make_unique<Reference>(*std::move(on)));
      creation.on = bases_.back().get();
    }
    return creation.makings[0];
  }
  Creation& last() { return *creations_.back(); }

  // The sizes of the groups.
  [[nodiscard]] std::vector<std::size_t> groups() const {
    std::vector<std::size_t> sizes;
    for (std::span rest(creations_); !rest.empty(); rest = rest.subspan(sizes.back())) {
      sizes.push_back(independent(rest));
    }
    return sizes;
  }

 private:
  Job job_;
  std::vector<std::unique_ptr<Reference>> bases_;
  std::vector<std::unique_ptr<Creation>> creations_;
};

using Sizes = std::vector<std::size_t>;

}  // namespace

TEST_SUITE("creates in one tick") {
  TEST_CASE("go together, also on one parent") {
    Calls calls;
    for (const char* name : {"a", "b", "c"}) calls.add(name, Reference::by_name("enp0"));
    CHECK(calls.groups() == Sizes{3});
  }

  TEST_CASE("are apart where one wants a name that an earlier one is to have") {
    Calls calls;
    calls.add("a");
    calls.add("b").wanted.alt_names = {"long-name"};
    calls.add("c").wanted.alt_names = {"a"};
    calls.add("long-name");
    calls.add("c");
    CHECK(calls.groups() == Sizes{2, 2, 1});
  }

  TEST_CASE("are apart where one is to be made on an earlier one") {
    Calls calls;
    calls.add("a");
    calls.add("b", Reference::by_name("a"));
    calls.last().makings[0].wanted.alt_names = {"other"};
    calls.add("c", Reference::by_name("other"));
    calls.add("d", Reference::by_name("enp0"));
    CHECK(calls.groups() == Sizes{1, 1, 2});
  }

  TEST_CASE("are apart where one wants a MAC that an earlier one is to have") {
    const HardwareAddress mac{std::string("\2\0\0\0\0\1", 6)};
    Calls calls;
    calls.add("a").wanted.mac = mac;
    calls.add("b");
    calls.add("c").wanted.mac = mac;
    CHECK(calls.groups() == Sizes{2, 1});
  }

  TEST_CASE("whose index was chosen are with their like, and apart where it is the same") {
    Calls calls;
    calls.add("a");
    const auto choose = [&](const std::string& name, std::uint32_t index) {
      Making& making = calls.add(name);
      making.index_chosen = true;
      making.wanted.index = index;
    };
    choose("b", 4'711);
    choose("c", 4'712);
    choose("d", 4'711);
    calls.add("e");
    calls.add("f", Reference::by_index(4'711));
    CHECK(calls.groups() == Sizes{1, 2, 1, 2});
  }

  TEST_CASE("that share their parent with no other are alone") {
    Calls calls;
    calls.add("a");
    calls.add("b");
    calls.last().alone = true;
    calls.add("c");
    CHECK(calls.groups() == Sizes{1, 1, 1});
  }
}
