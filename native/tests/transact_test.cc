// What is made of the kernel's answers: among them those that this project's machines can't bring
// about.
#include "core/operations/transact.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

using namespace flintap;

namespace {

Failure refused(const netlink::Request& request, int error, const std::string& text = {}) {
  return refusal({.error = error, .text = text}, request, "device0");
}

Link link_named(std::string_view name) {
  Link link;
  link.name = name;
  return link;
}

netlink::Request change_at(std::string_view step) {
  return requests::change(Reference::by_index(101), step, link_named("device0"));
}

}  // namespace

TEST_SUITE("refusal") {
  TEST_CASE("of a create on a kernel without links of that kind says so") {
    const Failure failure =
        refused(requests::create(link_named("device0")), EOPNOTSUPP, "Unknown device type");
    CHECK(failure.reason == reason::kind_unsupported);
    CHECK(failure.device == "device0");
    CHECK(failure.step == "create");
  }

  TEST_CASE("of a create with a setting that the kernel lacks is another one") {
    const Failure failure = refused(requests::create(link_named("device0")), EOPNOTSUPP);
    CHECK(failure.reason == reason::setting_unsupported);
  }

  TEST_CASE("of a wireless station as a port (none on this machine) keeps the kernel's text") {
    const std::string text = "Device does not allow enslaving to a bridge";
    const Failure failure = refused(change_at("attach"), EOPNOTSUPP, text);
    CHECK(failure.reason == reason::cannot_be_port);
    CHECK(failure.kernel_text == text);
  }

  TEST_CASE("with ENODEV is that of a link that somebody deleted meanwhile, at every step") {
    const std::vector<std::string> steps{"identify", "tag",       "configure",
                                         "set up",   "read back", "attach",
                                         "move",     "delete",    "set the port"};
    for (const std::string& step : steps) {
      CAPTURE(step);
      CHECK(refused(change_at(step), ENODEV).reason == reason::no_such_link);
    }
  }

  TEST_CASE("with ENODEV of a create is that of a parent that went meanwhile") {
    const Failure failure = refused(requests::create(link_named("device0")), ENODEV);
    CHECK(failure.reason == reason::no_such_parent);
  }
}
