// Deletes many links as one group, so that the kernel waits for its grace periods once.
//
// A group is a number that nobody else has: random, with the highest bit set. Only what this puts
// into it is in it, addressed by identity; what somebody puts there in the moment between would be
// deleted as well. Killed in that moment, it leaves links in such a group, with all their marks.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <ranges>

#include "core/operations/removal.h"
#include "core/operations/request.h"
#include "core/operations/undo.h"
#include "core/system/system.h"

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

constexpr std::string_view kStep = "delete";

// A call, and the link that it is to delete. Each is settled by itself.
struct Deletion {
  Job* job;
  Link link;

  [[nodiscard]] std::uint32_t index() const { return link.index.value_or(0); }
  [[nodiscard]] std::string name() const { return link.name.value_or(""); }
};

using Deletions = std::span<Deletion>;

void fail_all(Deletions deletions, const Failure& failure) {
  for (const Deletion& deletion : deletions) deletion.job->failure = failure;
}

bool tells_gone(Answer& answer, const Reference& link) {
  const auto failure = failure_of("look up", [&] { found(answer, link, reason::no_such_link); });
  return failure && failure->error == ENODEV;
}

// The kernel's answer was lost, not its deed.
bool is_gone(Context& context, const Reference& link) {
  const netlink::Request question = requests::get(link, "look up");
  return tells_gone(ask(context, {&question, 1})[0], link);
}

void remove(Context& context, const Deletion& deletion) {
  const Reference link = acting_reference(deletion.link);
  Indexes waiting{deletion.index()};
  const auto failure = remove_links(context, context.senders().take_idle(),
                                    requests::remove(link, kStep), deletion.name(), waiting)
                           .failure;
  if (waiting.empty()) return;
  const bool lost = failure && failure->reason == reason::outcome_unknown;
  if (failure && !lost) throw Failure(*failure);
  if (insist([&] { return is_gone(context, link); }).value_or(false)) return;
  // The kernel takes the request for some of its own links, such as tunl0, and does nothing.
  throw failure ? Failure(*failure)
                : Failure(EOPNOTSUPP, reason::physical_link, kStep, deletion.name());
}

void delete_alone(Context& context, const Deletion& deletion) {
  deletion.job->failure = failure_of(kStep, [&] { remove(context, deletion); });
}

std::uint32_t unused_group() {
  constexpr std::uint32_t kOurs = 1U << 31U;
  std::uint32_t group = 0;
  if (sys::random(std::as_writable_bytes(std::span(&group, 1))) < 0) {
    throw Failure::of_errno("draw a random number");
  }
  return group | kOurs;
}

netlink::Request put_into(std::uint32_t group, const Link& link) {
  return requests::set_group(acting_reference(link), kStep, group);
}

// A group of links that are to be deleted together, and those that could not be.
class Group {
 public:
  // Draws its number, and takes a sender: what may be lacking is known before a link is changed.
  // Throws Failure.
  explicit Group(Context& context)
      : context_(context), sender_(context.senders().take_idle()), number_(unused_group()) {}

  void remove(Deletions deletions) {
    put_in(deletions);
    if (members_.empty()) return;
    Indexes waiting;
    for (const Deletion* member : members_) waiting.insert(member->index());
    const auto removal =
        remove_links(context_, sender_, requests::remove_group(number_, kStep), label(), waiting);
    std::erase_if(members_,
                  [&](const Deletion* member) { return !waiting.contains(member->index()); });
    if (!members_.empty()) remove_left(removal);
  }

 private:
  void put_in(Deletions deletions);
  void remove_left(const Removal& removal);
  [[nodiscard]] std::optional<Failure> look(std::span<const Reference> links,
                                            std::vector<Answer>& answers) const;
  void put_back(const Deletion& deletion) const;
  [[nodiscard]] std::string label() const;
  [[nodiscard]] std::string left_in(const Deletion& deletion) const {
    return "link " + deletion.name() + ": in group " + std::to_string(number_);
  }

  Context& context_;
  Sender& sender_;
  std::uint32_t number_;
  std::vector<const Deletion*> members_;
};

std::string Group::label() const {
  const std::size_t others = members_.size() - 1;
  const std::string first = members_.front()->name();
  return others == 0 ? first : first + " and " + std::to_string(others) + " more";
}

// Where the answers are lost, all count as members: those that could not be put in are found to be
// still there.
void Group::put_in(Deletions deletions) {
  std::vector<netlink::Request> changes;
  for (const Deletion& deletion : deletions) changes.push_back(put_into(number_, deletion.link));
  const std::uint32_t sends_before = context_.sends();
  std::vector<Answer> answers;
  const auto failure = failure_of(kStep, [&] { answers = ask(context_, changes); });
  const bool lost = failure && failure->reason == reason::outcome_unknown;
  if (failure && !lost) {
    fail_all(deletions, *failure);
    if (context_.sends() == sends_before) return;
    for (const Deletion& deletion : deletions) put_back(deletion);
    return;
  }
  for (std::size_t place = 0; place < deletions.size(); ++place) {
    const Deletion& deletion = deletions[place];
    if (lost || answers[place].ack.error == 0) {
      members_.push_back(&deletion);
    } else {
      deletion.job->failure = refusal(answers[place].ack, changes[place], deletion.name());
    }
  }
}

std::optional<Failure> Group::look(std::span<const Reference> links,
                                   std::vector<Answer>& answers) const {
  std::vector<netlink::Request> questions;
  for (const Reference& link : links) questions.push_back(requests::get(link, "look up"));
  std::optional<Failure> failure;
  for (int tries = 0; tries < kUndoTries; ++tries) {
    failure = failure_of("look up", [&] { answers = ask(context_, questions); });
    if (!failure) break;
  }
  return failure;
}

// The events of the members are missing: the kernel has refused to delete the group, somebody has
// taken them out of it, or moved them to another namespace, or the events were lost.
void Group::remove_left(const Removal& removal) {
  std::vector<Reference> links;
  links.reserve(members_.size());
  for (const Deletion* member : members_) links.push_back(acting_reference(member->link));
  std::vector<Answer> answers;
  const auto unseen = look(links, answers);
  for (std::size_t place = 0; place < members_.size(); ++place) {
    const Deletion& member = *members_[place];
    if (unseen) {
      Failure& failure = member.job->failure.emplace(removal.failure.value_or(*unseen));
      failure.device = member.name();
      failure.left_behind.push_back(left_in(member));
    } else if (!tells_gone(answers[place], links[place])) {
      delete_alone(context_, member);
      if (member.job->failure) put_back(member);
    } else if (removal.told_all) {
      member.job->failure.emplace(ENODEV, reason::no_such_link, kStep, member.name());
    }
  }
}

// Into the group in which it was, if it is still in this one.
void Group::put_back(const Deletion& deletion) const {
  const auto undo = [&]() -> Left {
    const Reference link = acting_reference(deletion.link);
    const netlink::Request question = requests::get(link, "look up");
    auto answers = ask(context_, {&question, 1});
    if (tells_gone(answers[0], link)) return {};
    if (found(answers[0], link, reason::no_such_link).group != number_) return {};
    const netlink::Request change = put_into(deletion.link.group.value_or(0), deletion.link);
    transact(context_, {&change, 1}, deletion.name());
    return {};
  };
  take_back(*deletion.job->failure, undo, left_in(deletion));
}

void delete_set(Context& context, Deletions deletions) {
  if (deletions.size() == 1) return delete_alone(context, deletions.front());
  const auto failure = failure_of(kStep, [&] { Group(context).remove(deletions); });
  if (failure) fail_all(deletions, *failure);
}

// Where a link stands in the order of deletion, and how many such links make a group. A bridge
// takes the kernel a grace period of its own, under its lock: many at once would keep everybody
// waiting. What has no kind can't be deleted, and would keep its group from it.
struct Place {
  int order;
  std::size_t most;
};

Place place_of(const Deletion& deletion) {
  const std::string kind = deletion.link.kind.value_or("");
  if (kind.empty()) return {.order = 2, .most = 1};
  if (kind == "bridge") return {.order = 1, .most = 4};
  return {.order = 0, .most = SIZE_MAX};
}

// In sets that are deleted at once. What stands on a bridge, as a macvtap can, is deleted before it
// would go with it.
void delete_in_sets(Context& context, Deletions left) {
  std::ranges::stable_sort(left, {}, [](const Deletion& one) { return place_of(one).order; });
  while (!left.empty()) {
    const auto [order, most] = place_of(left.front());
    const auto next = std::ranges::find_if(
        left, [&](const Deletion& one) { return place_of(one).order != order; });
    const auto alike = static_cast<std::size_t>(next - left.begin());
    const auto set = left.first(std::min(alike, most));
    delete_set(context, set);
    left = left.subspan(set.size());
  }
}

// Gives those of the calls that are about a link that an earlier one deletes: they come after it.
std::vector<Job*> delete_links(Context& context, std::span<Job* const> jobs) {
  std::vector<netlink::Request> questions;
  const auto request_of = [](const Job& job) -> const DeleteLink& {
    return static_cast<const DeleteLink&>(*job.request);
  };
  for (const Job* job : jobs) questions.push_back(requests::get(*request_of(*job).link, "look up"));
  auto answers = ask(context, questions);
  std::vector<Deletion> deletions;
  std::vector<Job*> later;
  Indexes indexes;
  for (std::size_t place = 0; place < jobs.size(); ++place) {
    Job& job = *jobs[place];
    job.failure = failure_of("look up", [&] {
      const DeleteLink& request = request_of(job);
      Link& link = found(answers[place], *request.link, reason::no_such_link);
      const std::uint32_t index = link.index.value_or(0);
      if (indexes.contains(index)) return later.push_back(&job);
      if (!*request.force) require_ours(link, *request.tag_prefix, kStep);
      indexes.insert(index);
      deletions.push_back({.job = &job, .link = std::move(link)});
    });
  }
  delete_in_sets(context, deletions);
  return later;
}

void run_together(Context& context, std::span<Job* const> jobs) {
  std::vector<Job*> left;
  const auto failure = failure_of(kStep, [&] {
    left.assign(jobs.begin(), jobs.end());
    while (!left.empty()) left = delete_links(context, left);
  });
  if (!failure) return;
  for (Job* job : left) job->failure = failure;
}

}  // namespace

namespace operations {
extern const Operation delete_link{"deleteLink", &schema, nullptr, run_together};
}

}  // namespace flintap
