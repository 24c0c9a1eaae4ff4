#include <cerrno>

#include "core/operations/request.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

struct DeleteLink : Record {
  std::unique_ptr<Reference> link;
  std::optional<std::string> tag_prefix;
  std::optional<bool> force;
};

constexpr std::array fields{
    required(reference_option<&DeleteLink::link>("link")),
    required(option<&DeleteLink::tag_prefix>("tagPrefix")),
    required(option<&DeleteLink::force>("force")),
};
constexpr Schema schema{"deleteLink", fields, make_record<DeleteLink>};

// The kernel's answer was lost, not its deed.
bool is_gone(Context& context, const Reference& link) {
  const netlink::Request question = requests::get(link, "look up");
  return ask(context, {&question, 1})[0].ack.error == ENODEV;
}

void remove(Context& context, const Reference& link) {
  const netlink::Request removal = requests::remove(link, "delete");
  try {
    transact(context, {&removal, 1}, link.label());
  } catch (const Failure& failure) {
    const bool lost = failure.reason == reason::outcome_unknown;
    if (!lost || !insist([&] { return is_gone(context, link); }).value_or(false)) throw;
  }
}

Outcome run(Context& context, Record& record) {
  const auto& request = static_cast<DeleteLink&>(record);
  const Link link = look_up(context, *request.link);
  if (!*request.force) require_ours(link, *request.tag_prefix, "delete");
  remove(context, acting_reference(link));
  return {};
}

}  // namespace

namespace operations {
extern const Operation delete_link{"deleteLink", &schema, run};
}

}  // namespace flintap
