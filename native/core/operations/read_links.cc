// getLink and listLinks.
#include "core/operations/request.h"
#include "core/operations/transact.h"

namespace flintap {
namespace {

struct GetLink : Record {
  std::unique_ptr<Reference> link;
  std::optional<bool> statistics;
};

constexpr std::array get_fields{
    required(reference_option<&GetLink::link>("link")),
    required(option<&GetLink::statistics>("statistics")),
};
constexpr Schema get_schema{"getLink", get_fields, make_record<GetLink>};

struct ListLinks : Record {
  std::optional<std::string> kind;
  std::optional<std::uint32_t> master;
  std::optional<bool> statistics;
};

constexpr std::array list_fields{
    option<&ListLinks::kind>("kind"),
    option<&ListLinks::master>("master"),
    required(option<&ListLinks::statistics>("statistics")),
};
constexpr Schema list_schema{"listLinks", list_fields, make_record<ListLinks>};

Outcome get(Context& context, Record& record) {
  const auto& request = static_cast<GetLink&>(record);
  const auto question = requests::get(*request.link, "look up", *request.statistics);
  auto answers = ask(context, {&question, 1}, *request.statistics);
  Outcome outcome;
  outcome.links.push_back(std::move(found(answers[0], *request.link, reason::no_such_link)));
  return outcome;
}

Outcome list(Context& context, Record& record) {
  const auto& request = static_cast<ListLinks&>(record);
  const auto question = requests::dump({
      .kind = request.kind,
      .master = request.master,
      .statistics = *request.statistics,
  });
  Outcome outcome;
  const auto matches = [&](const Link& link) {
    return (!request.kind || link.kind == request.kind) &&
           (!request.master || link.master == request.master);
  };
  const netlink::Ack ack = context.socket.dump(
      question,
      [&](std::size_t, const netlink::Frame& frame) {
        auto link = read_link(frame, *request.statistics);
        if (link && matches(*link)) outcome.links.push_back(std::move(*link));
      },
      [&] { outcome.links.clear(); });
  if (ack.error != 0) throw refusal(ack, question, {});
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation get_link{"getLink", &get_schema, get};
extern const Operation list_links{"listLinks", &list_schema, list};
}  // namespace operations

}  // namespace flintap
