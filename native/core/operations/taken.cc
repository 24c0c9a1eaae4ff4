#include "core/operations/taken.h"

#include <span>
#include <string>
#include <vector>

#include "core/operations/transact.h"

namespace flintap {

std::optional<std::string_view> what_is_taken(Context& context, const Link& wanted) try {
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
  for (const Answer& answer : std::span(answers).first(names.size())) {
    if (!answer.link) continue;
    return answer.link->name == wanted.name ? reason::name_taken : reason::alt_name_taken;
  }
  const bool index_taken = wanted.index && answers.back().link;
  return index_taken ? std::optional(reason::index_taken) : std::nullopt;
} catch (const Failure&) {
  return std::nullopt;
}

}  // namespace flintap
