// getLink and listLinks.
#include <algorithm>

#include "core/operations/request.h"
#include "core/operations/transact.h"
#include "core/system/native_thread.h"

namespace flintap {
namespace {

struct GetLink : Record {
  std::unique_ptr<Reference> link;
  std::optional<bool> statistics;
  std::optional<bool> unknown;
};

constexpr std::array get_fields{
    required(reference_option<&GetLink::link>("link")),
    required(option<&GetLink::statistics>("statistics")),
    required(option<&GetLink::unknown>("unknown")),
};
constexpr Schema get_schema{"getLink", get_fields, make_record<GetLink>};

struct ListLinks : Record {
  std::optional<std::string> kind;
  std::unique_ptr<Reference> master;
  std::unique_ptr<Reference> parent;
  std::optional<std::string> alias_prefix;
  std::optional<std::vector<std::string>> alias_fields;
  std::optional<bool> statistics;
  std::optional<bool> unknown;
};

constexpr std::array list_fields{
    option<&ListLinks::kind>("kind"),
    reference_option<&ListLinks::master>("master"),
    reference_option<&ListLinks::parent>("parent"),
    option<&ListLinks::alias_prefix>("aliasPrefix"),
    option<&ListLinks::alias_fields>("aliasFields"),
    required(option<&ListLinks::statistics>("statistics")),
    required(option<&ListLinks::unknown>("unknown")),
};
constexpr Schema list_schema{"listLinks", list_fields, make_record<ListLinks>};

Unknown unknown(const std::optional<bool>& is_wanted) {
  return *is_wanted ? Unknown::given : Unknown::left_out;
}

void get_together(Context& context, std::span<Job* const> jobs) {
  const auto request_of = [](const Job& job) -> const GetLink& {
    return static_cast<const GetLink&>(*job.request);
  };
  std::vector<netlink::Request> questions;
  std::vector<Answer> answers;
  const bool statistics =
      std::ranges::any_of(jobs, [&](const Job* job) { return *request_of(*job).statistics; });
  const auto lost = failure_of("look the links up", [&] {
    for (const Job* job : jobs) {
      const GetLink& request = request_of(*job);
      questions.push_back(requests::get(*request.link, "look up", *request.statistics));
    }
    if (!jobs.empty()) answers = ask(context, questions, statistics);
  });
  for (std::size_t place = 0; place < jobs.size(); ++place) {
    Job& job = *jobs[place];
    job.failure = lost ? lost : failure_of("look the link up", [&] {
      const GetLink& request = request_of(job);
      Link& link = found(answers[place], *request.link, reason::no_such_link);
      if (!*request.statistics) link.statistics.reset();
      job.outcome.listing = LinkList(unknown(request.unknown));
      job.outcome.links.push_back(std::move(link));
    });
  }
}

std::optional<std::uint32_t> index_of(Context& context, const Reference* link) {
  if (link == nullptr) return std::nullopt;
  if (link->index && !link->identity && !link->name) return link->index;
  return look_up(context, *link).index;
}

// The texts between the semicolons.
std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> texts;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(';', from), list.size());
    texts.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  return texts;
}

// Here and not in JavaScript, for which every link would have to be converted first.
bool has_alias(const Link& link, const ListLinks& wanted) {
  const std::string_view alias = link.alias ? std::string_view(*link.alias) : std::string_view();
  if (wanted.alias_prefix && !alias.starts_with(*wanted.alias_prefix)) return false;
  if (!wanted.alias_fields) return true;
  const auto there = split(alias);
  return std::ranges::all_of(*wanted.alias_fields, [&](const std::string& texts) {
    const auto accepted = split(texts);
    return std::ranges::find_first_of(there, accepted) != there.end();
  });
}

// The kernel can't filter by parent, and gives every link for a kind that it does not know.
Outcome list(Context& context, Record& record) {
  const auto& request = static_cast<ListLinks&>(record);
  const auto master = index_of(context, request.master.get());
  const auto parent = index_of(context, request.parent.get());
  const auto matches = [&](const Link& link) {
    return (!request.kind || link.kind == request.kind) && (!master || link.master == master) &&
           (!parent || (link.parent == parent && !link.parent_namespace)) &&
           has_alias(link, request);
  };
  Outcome outcome;
  for_each_link(
      context, {.kind = request.kind, .master = master, .statistics = *request.statistics},
      [&](Link&& link) {
        if (matches(link)) outcome.listing.add(link);
      },
      [&] { outcome.listing = LinkList(unknown(request.unknown)); });
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation get_link{
    .name = "getLink", .request = &get_schema, .run_together = get_together};
extern const Operation list_links{"listLinks", &list_schema, list};
}  // namespace operations

}  // namespace flintap
