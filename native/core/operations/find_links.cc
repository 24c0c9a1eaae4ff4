// findLinks and getPlace: looking at what may be there, before anything is changed.
#include <cerrno>

#include "core/operations/explanation.h"
#include "core/operations/parent.h"
#include "core/operations/request.h"
#include "core/operations/transact.h"

namespace flintap {

// What a device hangs on: a macvtap's parent, a tap's bridge.
enum class PlaceRole : std::uint8_t { parent, passthru_parent, bridge };

template <>
inline constexpr auto enum_names<PlaceRole> =
    std::to_array<std::pair<PlaceRole, std::string_view>>({
        {PlaceRole::parent, "parent"},
        {PlaceRole::passthru_parent, "passthruParent"},
        {PlaceRole::bridge, "bridge"},
    });

namespace {

struct FindLinks : Record {
  std::optional<std::vector<std::string>> names;
};

constexpr std::array find_fields{
    required(option<&FindLinks::names>("names")),
};
constexpr Schema find_schema{"findLinks", find_fields, make_record<FindLinks>};

struct GetPlace : Record {
  std::unique_ptr<Reference> link;
  std::optional<PlaceRole> role;
};

constexpr std::array place_fields{
    required(reference_option<&GetPlace::link>("link")),
    required(option<&GetPlace::role>("role")),
};
constexpr Schema place_schema{"getPlace", place_fields, make_record<GetPlace>};

// A name that nobody has is no failure here, but any other refusal is one.
Outcome find(Context& context, Record& record) {
  const auto& names = *static_cast<FindLinks&>(record).names;
  std::vector<netlink::Request> questions;
  questions.reserve(names.size());
  for (const std::string& name : names) {
    questions.push_back(requests::get(Reference::by_name(name), "look up"));
  }
  auto answers = ask(context, questions);
  Outcome outcome;
  for (std::size_t place = 0; place < answers.size(); ++place) {
    if (answers[place].ack.error == ENODEV) continue;
    outcome.links.push_back(
        std::move(found(answers[place], Reference::by_name(names[place]), reason::no_such_link)));
  }
  return outcome;
}

Outcome read_place(Context& context, Record& record) {
  const auto& request = static_cast<GetPlace&>(record);
  const bool is_bridge = *request.role == PlaceRole::bridge;
  const auto absent = is_bridge ? reason::no_such_bridge : reason::no_such_parent;
  Link place = naming_existing(context, [&] { return look_up(context, *request.link, absent); });
  if (is_bridge) {
    require_bridge(place);
  } else {
    const bool shares_mac = *request.role == PlaceRole::passthru_parent;
    require_parent(context, place, shares_mac ? Wireless::taken : Wireless::refused,
                   place.name.value_or(""));
  }
  Outcome outcome;
  outcome.links.push_back(std::move(place));
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation find_links{"findLinks", &find_schema, find};
extern const Operation get_place{"getPlace", &place_schema, read_place};
}  // namespace operations

}  // namespace flintap
