#include "core/operations/transact.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace flintap {
namespace {

struct Rule {
  std::string_view step;
  int error;
  std::string_view reason;
};

// What an errno means at a step. Names, indexes and MTUs are told apart where they were chosen, in
// creation.cc: the kernel gives no text for them.
constexpr std::array rules{
    Rule{"create", EEXIST, reason::name_taken},
    Rule{"create", ERANGE, reason::invalid_name},
    Rule{"create", EADDRINUSE, reason::duplicate_mac},
    Rule{"create", EADDRNOTAVAIL, reason::invalid_mac},
    Rule{"create", EOPNOTSUPP, reason::setting_unsupported},
    Rule{"set the port", EOPNOTSUPP, reason::setting_unsupported},
    Rule{"create", EBUSY, reason::parent_busy},
    Rule{"create", ENODEV, reason::no_such_parent},
    Rule{"set up", EADDRINUSE, reason::duplicate_mac},
    Rule{"set up", EBUSY, reason::duplicate_mac},
    Rule{"configure", EADDRNOTAVAIL, reason::invalid_mac},
    Rule{"attach", EXFULL, reason::bridge_full},
    Rule{"attach", EBUSY, reason::cannot_be_port},
    Rule{"attach", ELOOP, reason::cannot_be_port},
    Rule{"attach", EINVAL, reason::cannot_be_port},
    Rule{"attach", EOPNOTSUPP, reason::cannot_be_port},
    Rule{"set the MAC", EADDRNOTAVAIL, reason::invalid_mac},
    Rule{"set the MAC", EADDRINUSE, reason::duplicate_mac},
    Rule{"set the MAC", EBUSY, reason::link_is_up},
    Rule{"set the MAC", EOPNOTSUPP, reason::setting_unsupported},
    Rule{"set the MTU", EINVAL, reason::mtu_out_of_range},
    Rule{"rename to", EEXIST, reason::name_taken},
    Rule{"rename to", EBUSY, reason::link_is_up},
    Rule{"rename to", EINVAL, reason::invalid_name},
    Rule{"add the alt name", EEXIST, reason::alt_name_taken},
    Rule{"add the alt name", EINVAL, reason::invalid_name},
    Rule{"add the alt names", EEXIST, reason::alt_name_taken},
    Rule{"add the alt names", EINVAL, reason::invalid_name},
    Rule{"remove the alt name", EINVAL, reason::no_such_alt_name},
    Rule{"remove the alt name", ENOENT, reason::no_such_alt_name},
    Rule{"move", EEXIST, reason::name_taken},
    Rule{"move", EINVAL, reason::cannot_move},
    Rule{"delete", EOPNOTSUPP, reason::physical_link},
};

std::string_view reason_of(std::string_view step, const netlink::Ack& ack) {
  if (ack.error == EPERM) return reason::no_permission;
  if (ack.error == EINVAL && ack.text.starts_with("mtu ")) return reason::mtu_out_of_range;
  if (ack.error == EOPNOTSUPP && ack.text == "Unknown device type") {
    return reason::kind_unsupported;
  }
  for (const Rule& rule : rules) {
    if (rule.step == step && rule.error == ack.error) return rule.reason;
  }
  // Whoever deleted it meanwhile.
  return ack.error == ENODEV ? reason::no_such_link : reason::kernel;
}

}  // namespace

std::vector<Answer> ask(Context& context, std::span<const netlink::Request> requests,
                        bool statistics) {
  std::vector<Answer> answers(requests.size());
  // Before anything is done, since it can fail.
  const auto network_namespace = context.network_namespace_id();
  const auto acks =
      context.socket().exchange(requests, [&](std::size_t place, const netlink::Frame& frame) {
        if (auto link = read_link(frame, statistics)) answers[place].link = std::move(link);
      });
  for (std::size_t place = 0; place < acks.size(); ++place) {
    answers[place].ack = acks[place];
    answers[place].network_namespace = network_namespace;
    if (answers[place].link) answers[place].link->network_namespace = network_namespace;
  }
  return answers;
}

Failure refusal(const netlink::Ack& ack, const netlink::Request& request, std::string_view device) {
  Failure failure(ack.error, reason_of(request.step, ack), request.step, device);
  failure.kernel_text = ack.text;
  return failure;
}

void require(std::span<const Answer> answers, std::span<const netlink::Request> requests,
             std::string_view device) {
  for (std::size_t place = 0; place < answers.size(); ++place) {
    if (answers[place].ack.error != 0) {
      throw refusal(answers[place].ack, requests[place], device);
    }
  }
}

std::vector<Answer> transact(Context& context, std::span<const netlink::Request> requests,
                             std::string_view device) {
  auto answers = ask(context, requests);
  require(answers, requests, device);
  return answers;
}

Link& found(Answer& answer, const Reference& reference, std::string_view absent) {
  const netlink::Ack& ack = answer.ack;
  if (reference.network_namespace && answer.network_namespace &&
      reference.network_namespace != answer.network_namespace) {
    Failure failure(ENODEV, reason::other_namespace, "look up", reference.label());
    failure.attribute = "namespace";
    failure.expected = std::to_string(*answer.network_namespace);
    failure.actual = std::to_string(*reference.network_namespace);
    throw failure;
  }
  const bool replaced = answer.link && !reference.identity && reference.index && reference.name &&
                        answer.link->name != reference.name &&
                        !answer.link->has_alt_name(*reference.name);
  if (ack.error == ENODEV || replaced) {
    throw Failure(ENODEV, absent, "look up", reference.label());
  }
  if (ack.error != 0 || !answer.link) {
    Failure failure(ack.error == 0 ? EBADMSG : ack.error,
                    ack.error == EPERM ? reason::no_permission : reason::kernel, "look up",
                    reference.label());
    failure.kernel_text = ack.text;
    throw failure;
  }
  return *answer.link;
}

Failure ignored(const Mismatch& mismatch, std::string_view device) {
  Failure failure(0, reason::setting_ignored, "read back", device);
  failure.attribute = mismatch.field;
  failure.expected = mismatch.expected;
  failure.actual = mismatch.actual;
  return failure;
}

Link look_up(Context& context, const Reference& reference, std::string_view absent) {
  const netlink::Request request = requests::get(reference, "look up");
  auto answers = ask(context, {&request, 1});
  return std::move(found(answers[0], reference, absent));
}

void for_each_link(Context& context, const DumpFilter& filter,
                   const std::function<void(Link&&)>& take, const std::function<void()>& restart) {
  const auto question = requests::dump(filter);
  const auto network_namespace = context.network_namespace_id();
  const netlink::Ack ack = context.socket().dump(
      question,
      [&](std::size_t, const netlink::Frame& frame) {
        auto link = read_link(frame, filter.statistics);
        if (!link) return;
        link->network_namespace = network_namespace;
        take(std::move(*link));
      },
      restart);
  if (ack.error != 0) throw refusal(ack, question, {});
}

std::vector<Link> list_links(Context& context, const DumpFilter& filter,
                             const std::function<bool(const Link&)>& wanted) {
  std::vector<Link> links;
  for_each_link(
      context, filter,
      [&](Link&& link) {
        if (wanted(link)) links.push_back(std::move(link));
      },
      [&] { links.clear(); });
  return links;
}

Holder holder_of(const Link& link) {
  return {.name = link.name.value_or(""),
          .kind = link.kind.value_or(""),
          .alias = link.alias.value_or("")};
}

void require_bridge(const Link& link) {
  if (link.kind == "bridge") return;
  throw Failure(0, reason::not_a_bridge, "look up", link.name.value_or(""));
}

void require_ours(const Link& link, const std::string& tag_prefix, std::string_view step) {
  const std::string name = link.name.value_or("");
  if (link.kind.value_or("").empty()) throw Failure(0, reason::physical_link, step, name);
  if (link.identity().empty() || !link.alias.value_or("").starts_with(tag_prefix)) {
    Failure failure(0, reason::not_ours, step, name);
    failure.holder = holder_of(link);
    throw failure;
  }
}

Reference acting_reference(const Link& link) {
  const std::string_view identity = link.identity();
  Reference reference = identity.empty() ? Reference::by_index(link.index.value_or(0))
                                         : Reference::by_identity(identity);
  reference.name = link.name;
  return reference;
}

}  // namespace flintap
