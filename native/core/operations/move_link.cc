// moveLink: to the network namespace of another handle.
#include <linux/if.h>

#include <cerrno>

#include "core/operations/host_ipv6.h"
#include "core/operations/other_namespace.h"
#include "core/operations/request.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

struct MoveLink : Record {
  std::unique_ptr<Reference> link;
  std::optional<std::int64_t> target;
  std::optional<std::string> tag_prefix;
  std::optional<bool> force;
};

constexpr std::array fields{
    required(reference_option<&MoveLink::link>("link")),
    required(option<&MoveLink::target>("target")),
    required(option<&MoveLink::tag_prefix>("tagPrefix")),
    required(option<&MoveLink::force>("force")),
};
constexpr Schema schema{"moveLink", fields, make_record<MoveLink>};

// The kernel says one EEXIST for a name and an alt name, and takes another index in silence.
void require_free_names(Context& there, const Link& link) {
  std::vector<netlink::Request> questions{requests::get(Reference::by_name(*link.name), "look up")};
  for (const std::string& alt_name : *link.alt_names) {
    questions.push_back(requests::get(Reference::by_name(alt_name), "look up"));
  }
  const auto answers = ask(there, questions);
  for (const Answer& answer : answers) {
    if (!answer.link) continue;
    const bool by_name = answer.link->name == link.name;
    throw Failure(EEXIST, by_name ? reason::name_taken : reason::alt_name_taken, "look up",
                  *link.name);
  }
}

// A link that was made elsewhere has no identity; its index may be another one by now.
Reference arrived(const Link& link) {
  const std::string identity = link.identity();
  Reference reference =
      identity.empty() ? Reference::by_name(*link.name) : Reference::by_identity(identity);
  reference.name = link.name;
  return reference;
}

// The kernel has made the link's IPv6 settings anew, and taken it down. What is up before the
// settings are as they were could hear a router advertisement.
Link settle(Context& context, const Link& before) {
  const Reference link = arrived(before);
  const HostIpv6 wanted = before.identity().empty() ? HostIpv6::open : host_ipv6_of(before);
  const int written = write_host_ipv6(*before.name, wanted);
  std::vector<netlink::Request> batch;
  if (wanted == HostIpv6::reduced) {
    batch.push_back(requests::stop_ipv6_addresses(link, "reduce the host's IPv6"));
  }
  if (before.up.value_or(false)) {
    Link up;
    up.up = true;
    batch.push_back(requests::change(link, "set up", up));
  }
  batch.push_back(requests::get(link, "read back"));
  auto answers = transact(context, batch, *before.name);
  Link after = std::move(found(answers.back(), link, reason::no_such_link));
  require_host_ipv6(wanted, after, written, *before.name);
  return after;
}

std::string label(const Link& link) { return "link " + *link.name; }

// Fetches the link back if it has gone there, and makes it what it was.
Left fetch_back(Context& context, const NetworkNamespace& there, const Link& before) {
  const Reference link = arrived(before);
  run_there(context, there, [&](Context& elsewhere) {
    const netlink::Request question = requests::get(link, "look up");
    const auto answers = ask(elsewhere, {&question, 1});
    // Without an identity, a stranger's name is told by the address.
    if (!answers[0].link || answers[0].link->mac != before.mac) return;
    const netlink::Request back =
        requests::move(link, "undo", context.network_namespace().fd.get());
    ask(elsewhere, {&back, 1});
  });
  const netlink::Request question = requests::get(link, "look up");
  const auto answers = ask(context, {&question, 1});
  if (!answers[0].link) return label(before) + " (in the other namespace)";
  const Link now = settle(context, before);
  if (now.up == before.up && now.index == before.index) return std::nullopt;
  return label(before) + ": not as it was";
}

Outcome run(Context& context, Record& record) {
  const auto& request = static_cast<MoveLink&>(record);
  Link before = look_up(context, *request.link);
  if (!*request.force) require_ours(before, *request.tag_prefix, "move");
  if (before.master.value_or(0) != 0) {
    throw Failure(0, reason::other_master, "move", *before.name);
  }
  Outcome outcome;
  if ((before.flags.value_or(0) & IFF_LOOPBACK) != 0) {
    throw Failure(EINVAL, reason::cannot_move, "move", *before.name);
  }
  if (context.network_namespace().id == *request.target) {
    outcome.links.push_back(std::move(before));
    return outcome;
  }
  const auto target = open_namespace(*request.target, *before.name);
  run_there(context, *target, [&](Context& there) { require_free_names(there, before); });
  const netlink::Request move = requests::move(acting_reference(before), "move", target->fd.get());
  const auto undo = [&] { return fetch_back(context, *target, before); };
  const auto answers = ask_undoing(context, {&move, 1}, undo, label(before));
  require(answers, {&move, 1}, *before.name);
  return undoing(
      [&] {
        run_there(context, *target, [&](Context& there) {
          outcome.links.push_back(settle(there, before));
          there.stop_if_cancelled();
        });
        return std::move(outcome);
      },
      undo, label(before));
}

}  // namespace

namespace operations {
extern const Operation move_link{"moveLink", &schema, run};
}

}  // namespace flintap
