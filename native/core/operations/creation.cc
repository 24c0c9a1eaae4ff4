#include "core/operations/creation.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <tuple>

#include "core/operations/claims.h"
#include "core/system/native_thread.h"

namespace flintap {
namespace {

// Calls that go through each step together. Those that have failed stay in it and are passed over.
using Group = std::span<const std::unique_ptr<Creation>>;

void fail(Context& context, Creation& creation, Failure failure) {
  // What can't be explained for want of memory stays unexplained.
  static_cast<void>(failure_of("undo", [&] {
    creation.undo(context, failure);
    // Unless it is about the parent or the bridge itself.
    const bool on_base = creation.base && failure.device != creation.base->name;
    if (on_base) failure.on = creation.base->name.value_or("");
    creation.explain(context, failure);
  }));
  creation.job.failure = std::move(failure);
}

template <class Step>
void run(Context& context, Creation& creation, Step step) {
  if (creation.job.failure) return;
  if (auto failure = failure_of("make the link", step)) {
    fail(context, creation, *std::move(failure));
  }
}

// ---- one send for all ----

// What of a common send is one call's.
struct Part {
  Creation& creation;
  std::size_t first;
  std::size_t count;
};

void drop_from(std::vector<netlink::Request>& batch, std::size_t first) {
  batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(first), batch.end());
}

// All of one call's, lest a device be made in one send and marked in the next.
void keep_together(std::span<netlink::Request> requests) {
  for (std::size_t at = 1; at < requests.size(); ++at) requests[at - 1].with_next = true;
}

// A lost answer is not a failure that can be guessed at; nor is memory that ran out over it.
std::optional<Failure> ask_into(Context& context, std::span<const netlink::Request> batch,
                                std::vector<Answer>& answers) try {
  if (!batch.empty()) answers = ask(context, batch);
  return std::nullopt;
} catch (const Failure& failure) {
  return failure;
} catch (const std::exception&) {
  return Failure(ENOMEM, reason::outcome_unknown, "allocate memory");
}

// `add` adds the requests of a call, `take` takes their answers. Where answers were lost, every one
// of the calls fails.
template <class Add, class Take>
void ask_together(Context& context, Group group, Add add, Take take) {
  std::vector<netlink::Request> batch;
  std::vector<Part> parts;
  for (const auto& creation : group) {
    const std::size_t first = batch.size();
    run(context, *creation, [&] {
      add(*creation, batch);
      keep_together(std::span(batch).subspan(first));
      parts.push_back({*creation, first, batch.size() - first});
    });
    // Nothing of what was added is sent for one that failed over it.
    if (creation->job.failure) drop_from(batch, first);
  }
  std::vector<Answer> answers;
  const auto lost = ask_into(context, batch, answers);
  for (const Part& part : parts) {
    run(context, part.creation, [&] {
      if (lost) throw Failure(*lost);
      take(part.creation, std::span(batch).subspan(part.first, part.count),
           std::span(answers).subspan(part.first, part.count));
    });
  }
}

// ---- the look-up ----

bool same_question(const Reference& left, const Reference& right) {
  const auto fields = [](const Reference& link) {
    return std::tie(link.identity, link.index, link.name, link.looked_up_in);
  };
  return fields(left) == fields(right);
}

// The questions of one send; a parent or bridge that many are made on is asked for once.
class Questions {
 public:
  std::size_t add(const Reference& link) {
    requests_.push_back(requests::get(link, "look up"));
    return requests_.size() - 1;
  }
  std::size_t add_shared(const Reference& link) {
    const auto asked = std::ranges::find_if(
        shared_, [&](const auto& one) { return same_question(*one.link, link); });
    if (asked != shared_.end()) return asked->place;
    shared_.push_back({&link, add(link)});
    return shared_.back().place;
  }
  [[nodiscard]] std::span<const netlink::Request> requests() const { return requests_; }

 private:
  struct Shared {
    const Reference* link;
    std::size_t place;
  };
  std::vector<netlink::Request> requests_;
  std::vector<Shared> shared_;
};

// Where the answers to a call's questions are.
struct Looking {
  Creation& creation;
  std::size_t indexes = 0;
  std::size_t base = 0;
};

Looking add_questions(Questions& questions, Creation& creation) {
  Looking looking{.creation = creation};
  looking.indexes = questions.requests().size();
  if (creation.looks_for_index) {
    for (const Making& making : creation.makings) questions.add(making.reference());
  }
  if (creation.on != nullptr) looking.base = questions.add_shared(*creation.on);
  return looking;
}

// Whether the indexes are free; draws again where the library's own choice is not.
bool indexes_are_free(Creation& creation, std::span<const Answer> answers) {
  bool all_free = true;
  for (std::size_t place = 0; place < creation.makings.size(); ++place) {
    Making& making = creation.makings[place];
    if (!answers[place].link) continue;
    if (making.index_chosen) {
      Failure failure(EEXIST, reason::index_taken, "look up", making.name());
      failure.holder = holder_of(*answers[place].link);
      throw failure;
    }
    redraw_index(making);
    all_free = false;
  }
  return all_free;
}

// Two that are made in one send must not have drawn the same.
void draw_apart(Group group) {
  std::set<std::uint32_t> drawn;
  for (const auto& creation : group) {
    for (Making& making : creation->makings) {
      while (!drawn.insert(*making.wanted.index).second && !making.index_chosen) {
        redraw_index(making);
      }
    }
  }
}

// Gives those that have to look again.
std::vector<Creation*> look(Context& context, std::span<Creation* const> creations) {
  Questions questions;
  std::vector<Looking> all;
  for (Creation* creation : creations) {
    run(context, *creation, [&] { all.push_back(add_questions(questions, *creation)); });
  }
  // The bases are held by those that are made on them.
  const auto answers = std::make_shared<std::vector<Answer>>();
  const auto lost = ask_into(context, questions.requests(), *answers);
  std::vector<Creation*> again;
  for (const Looking& one : all) {
    Creation& creation = one.creation;
    run(context, creation, [&] {
      if (lost) throw Failure(*lost);
      const bool all_free = !creation.looks_for_index ||
                            indexes_are_free(creation, std::span(*answers).subspan(one.indexes));
      if (creation.on != nullptr) {
        const Link& base = found((*answers)[one.base], *creation.on, creation.absent);
        if (all_free) creation.base = std::shared_ptr<const Link>(answers, &base);
      }
      if (!all_free) again.push_back(&creation);
    });
  }
  return again;
}

void look_before_making(Context& context, Group group) {
  std::vector<Creation*> looking;
  for (const auto& creation : group) looking.push_back(creation.get());
  for (int tries = 0; tries < kDraws && !looking.empty(); ++tries) {
    draw_apart(group);
    looking = look(context, looking);
  }
  for (Creation* creation : looking) {
    run(context, *creation, [&] {
      throw Failure(EEXIST, reason::index_taken, "draw a free index", creation->makings[0].name());
    });
  }
}

// ---- making ----

void take_made(Context& context, Creation& creation, std::span<const netlink::Request> requests,
               std::span<const Answer> answers) {
  if (creation.made == Creation::Made::perhaps) {
    const netlink::Ack& ack = answers[0].ack;
    creation.made = ack.error == 0 ? Creation::Made::yes : Creation::Made::no;
    if (ack.error != 0) {
      throw refused_create(context, creation.makings, creation.base.get(),
                           refusal(ack, requests[0], creation.makings[0].name()));
    }
  }
  require_made(context, answers, requests, creation.makings);
}

// An index that the caller chose may have been taken since it was looked up, by somebody who chose
// the same: then the create goes first and alone, lest the marks go to that stranger.
void make(Context& context, Group group) {
  const auto take = [&](Creation& creation, auto requests, auto answers) {
    take_made(context, creation, requests, answers);
  };
  const auto add_settings = [](Creation& creation, auto& batch) { creation.add_settings(batch); };
  if (has_chosen_index(*group.front())) {
    ask_together(
        context, group, [](Creation& creation, auto& batch) { creation.add_create(batch); }, take);
    ask_together(context, group, add_settings, take);
  } else {
    ask_together(
        context, group,
        [](Creation& creation, auto& batch) {
          creation.add_create(batch);
          creation.add_settings(batch);
        },
        take);
  }
}

// ---- finishing ----

void add_finish(const Creation& creation, std::vector<netlink::Request>& batch) {
  Link up;
  up.up = true;
  for (const Making& making : creation.makings) {
    if (making.wanted.up.value_or(false)) {
      batch.push_back(requests::change(making.reference(), "set up", up));
    }
  }
  for (const Making& making : creation.makings) {
    batch.push_back(requests::get(making.reference(), "read back"));
  }
}

void take_finished(Context& context, Creation& creation, std::span<const netlink::Request> requests,
                   std::span<Answer> answers) {
  const auto& makings = creation.makings;
  require(answers, requests, makings[0].name());
  const auto reads = answers.last(makings.size());
  Outcome outcome;
  for (std::size_t place = 0; place < makings.size(); ++place) {
    Link& link = found(reads[place], makings[place].reference(), reason::no_such_link);
    verify(makings[place], link, creation.ipv6_errors[place]);
    outcome.links.push_back(std::move(link));
  }
  context.stop_if_cancelled(creation.job.cancellation);
  creation.hand_over(outcome);
  creation.job.outcome = std::move(outcome);
}

// The IPv6 settings of all are written before the first goes up.
void finish(Context& context, Group group) {
  for (const auto& creation : group) {
    run(context, *creation, [&] {
      for (const Making& making : creation->makings) {
        creation->ipv6_errors.push_back(write_ipv6_settings(making));
      }
    });
  }
  ask_together(context, group, add_finish, [&](Creation& creation, auto requests, auto answers) {
    take_finished(context, creation, requests, answers);
  });
}

void create_group(Context& context, Group group) {
  look_before_making(context, group);
  for (const auto& creation : group) {
    run(context, *creation, [&] { creation->prepare(context); });
  }
  make(context, group);
  finish(context, group);
}

}  // namespace

void Creation::add_create(std::vector<netlink::Request>& batch) {
  batch.push_back(requests::create(makings[0].wanted));
  made = Made::perhaps;
}

void Creation::add_settings(std::vector<netlink::Request>& batch) {
  for (const Making& making : makings) add_marks(batch, making);
}

// What was asked for and neither refused nor answered has to be looked for. Where even the send
// failed, there is nothing to undo. The other end of a veth goes with the first.
void Creation::undo(Context& context, Failure& failure) {
  const bool lost = made == Made::perhaps && failure.reason == reason::outcome_unknown;
  if (!lost && made != Made::yes) return;
  const Making& first = makings[0];
  take_back(
      failure, [&] { return undo_making(context, first, made == Made::yes); }, first.label());
}

void create_together(Context& context, std::span<Job* const> jobs, const BeginCreation& begin) {
  std::vector<std::unique_ptr<Creation>> creations;
  for (Job* job : jobs) {
    job->failure = failure_of("begin to make the link", [&] { creations.push_back(begin(*job)); });
  }
  for (Group rest(creations); !rest.empty();) {
    const std::size_t count = independent(rest);
    create_group(context, rest.first(count));
    rest = rest.subspan(count);
  }
}

}  // namespace flintap
