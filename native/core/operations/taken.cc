#include "core/operations/taken.h"

#include <vector>

#include "core/operations/transact.h"

namespace flintap {

void Taken::explain(Failure& failure) const {
  failure.reason = reason;
  failure.holder = holder;
}

std::optional<Taken> what_is_taken(Context& context, const Link& wanted, std::string_view own) try {
  std::vector<std::string> names;
  if (wanted.name) names.push_back(*wanted.name);
  if (wanted.alt_names)
    names.insert(names.end(), wanted.alt_names->begin(), wanted.alt_names->end());
  std::vector<netlink::Request> questions;
  questions.reserve(names.size() + 1);
  for (const std::string& name : names) {
    questions.push_back(requests::get(Reference::by_name(name), "look up"));
  }
  if (wanted.index)
    questions.push_back(requests::get(Reference::by_index(*wanted.index), "look up"));
  const auto answers = ask(context, questions);
  const auto is_taken = [own](const Answer& answer) {
    return answer.link && (own.empty() || answer.link->identity() != own);
  };
  for (std::size_t place = 0; place < names.size(); ++place) {
    const Answer& answer = answers[place];
    if (!is_taken(answer)) continue;
    const bool by_name = answer.link->name == wanted.name;
    return Taken{.reason = by_name ? reason::name_taken : reason::alt_name_taken,
                 .name = names[place],
                 .holder = holder_of(*answer.link)};
  }
  if (!wanted.index || !is_taken(answers.back())) return std::nullopt;
  return Taken{
      .reason = reason::index_taken, .name = {}, .holder = holder_of(*answers.back().link)};
} catch (const Failure&) {
  return std::nullopt;
}

}  // namespace flintap
