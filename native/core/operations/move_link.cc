// moveLink: to the network namespace of another handle.
//
// The kernel moves a link in one request, and takes it down and opens its IPv6 on the way. So it is
// settled over there: closed again, then up, then read back.
#include <cerrno>

#include "core/devices/sysctl.h"
#include "core/operations/host_ipv6.h"
#include "core/operations/other_namespace.h"
#include "core/operations/request.h"
#include "core/operations/taken.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

struct MoveLink : Record {
  std::unique_ptr<Reference> link;
  std::optional<std::int64_t> target;
  std::optional<std::string> name;
  std::optional<std::string> tag_prefix;
  std::optional<bool> force;
};

constexpr std::array fields{
    required(reference_option<&MoveLink::link>("link")),
    required(option<&MoveLink::target>("target")),
    option<&MoveLink::name>("name"),
    required(option<&MoveLink::tag_prefix>("tagPrefix")),
    required(option<&MoveLink::force>("force")),
};
constexpr Schema schema{"moveLink", fields, make_record<MoveLink>};

using Namespace = std::shared_ptr<const NetworkNamespace>;

// One move: the link as it was, the other namespace, and the name it takes there.
struct Move {
  Link before;
  Namespace target;
  std::string name;

  [[nodiscard]] const std::string& old_name() const { return *before.name; }
  [[nodiscard]] bool renames() const { return name != old_name(); }
  [[nodiscard]] bool has_identity() const { return !before.identity().empty(); }
  // /dev/tap<index> is unique across namespaces only for the indexes that were chosen here. The
  // kernel's own are small, and taken in most namespaces.
  [[nodiscard]] std::optional<std::uint32_t> index() const {
    return has_identity() ? before.index : std::nullopt;
  }
  [[nodiscard]] HostIpv6 host_ipv6() const {
    return has_identity() ? host_ipv6_of(before) : HostIpv6::open;
  }
  [[nodiscard]] std::string label() const { return "link " + old_name(); }
  // What is left when that can't be found out.
  [[nodiscard]] std::string unknown() const { return label() + " (moved, or not as it was)"; }
};

// How it is found after it has moved: one without identity may have another index.
Reference reference_as(const Move& move, const std::string& name) {
  Reference reference = move.has_identity() ? Reference::by_identity(move.before.identity())
                                            : Reference::by_name(name);
  reference.name = name;
  return reference;
}

// What has to be of it, under that name.
Link wanted_as(const Move& move, const std::string& name) {
  Link wanted;
  wanted.name = name;
  wanted.index = move.index();
  wanted.alias = move.before.alias;
  wanted.mac = move.before.mac;
  wanted.mtu = move.before.mtu;
  wanted.tx_queue_length = move.before.tx_queue_length;
  wanted.up = move.before.up;
  return wanted;
}

// The kernel gives it a new queueing discipline, which costs a tap with many queues dearly.
bool had_noqueue(const Move& move) {
  return move.has_identity() && move.before.kind == "tun" && move.before.qdisc == "noqueue";
}

// In the thread's namespace, into which the link came under that name. What is up before the
// settings are as they were could hear a router advertisement.
Link settle(Context& context, const Move& move, const std::string& name) {
  const Reference link = reference_as(move, name);
  const Link wanted = wanted_as(move, name);
  const int written = write_host_ipv6(name, move.host_ipv6());
  std::vector<netlink::Request> batch;
  if (move.host_ipv6() == HostIpv6::reduced) {
    batch.push_back(requests::stop_ipv6_addresses(link, "reduce the host's IPv6"));
  }
  if (had_noqueue(move)) {
    batch.push_back(requests::set_noqueue(*move.index(), "set the queueing discipline"));
  }
  if (wanted.up.value_or(false)) {
    Link up;
    up.up = true;
    batch.push_back(requests::change(link, "set up", up));
  }
  batch.push_back(requests::get(link, "read back"));
  auto answers = ask(context, batch);
  require(answers, batch, name);
  Link after = std::move(found(answers.back(), link, reason::no_such_link));
  if (auto mismatch = compare(wanted, after, kLinkSchema)) throw ignored(*mismatch, name);
  require_host_ipv6(move.host_ipv6(), after, written, name);
  return after;
}

// ---- undoing ----

std::optional<Link> look(Context& context, const Reference& reference) {
  const netlink::Request question = requests::get(reference, "look up");
  return std::move(ask(context, {&question, 1})[0].link);
}

// Without an identity, a stranger that has its name is told by the address.
std::optional<Link> look_for(Context& context, const Move& move, const std::string& name) {
  auto link = look(context, reference_as(move, name));
  if (link && link->mac != move.before.mac) return std::nullopt;
  return link;
}

// In the other namespace. Whether there was one to send back. The second request is for where the
// old index is taken by now; after a first that was granted it is ENODEV.
bool send_back(Context& there, const Move& move, int home) {
  auto link = look_for(there, move, move.name);
  if (!link && !move.has_identity()) link = look_for(there, move, move.old_name());
  if (!link) return false;
  const auto back = [&](std::optional<std::uint32_t> index) {
    const Destination destination{
        .network_namespace = home, .index = index, .name = move.old_name()};
    return requests::move(Reference::by_index(*link->index), "undo", destination);
  };
  const std::array batch{back(move.before.index), back(std::nullopt)};
  ask(there, batch);
  return true;
}

bool is_as_before(const Move& move, const Link& now) {
  return !compare(wanted_as(move, move.old_name()), now, kLinkSchema) &&
         now.index == move.before.index && host_ipv6_is(move.host_ipv6(), now);
}

// Looks here first: a stranger over there that has the name and the address is not ours to take.
Left fetch_back(Context& context, const Move& move) {
  auto here = look_for(context, move, move.old_name());
  if (!here || here->name != move.old_name()) {
    bool was_there = false;
    run_there(context, move.target, [&](Context& there) {
      was_there = send_back(there, move, context.network_namespace().fd.get());
    });
    here = look_for(context, move, move.old_name());
    if (!here && was_there) return move.label() + " (in the other namespace)";
    // Gone, whoever deleted it; one without identity may also have another name by now.
    if (!here && move.has_identity()) return std::nullopt;
    if (!here) return move.label() + " (in the other namespace, if it was not deleted)";
  }
  if (is_as_before(move, *here)) return std::nullopt;
  if (is_as_before(move, settle(context, move, move.old_name()))) return std::nullopt;
  return move.label() + ": not as it was";
}

// ---- moving ----

// A link that could not be closed again over there is better not moved at all.
void require_closable(Context& context, const Move& move) {
  if (move.host_ipv6() != HostIpv6::closed) return;
  const int written = write_host_ipv6(move.old_name(), HostIpv6::closed);
  if (written != EROFS && written != EACCES && written != EPERM) return;
  run_there(context, move.target, [&](Context&) {
    if (is_ipv6_disabled_by_default()) return;
    throw Failure(written, reason::proc_sys_read_only, "move", move.old_name());
  });
}

void require_movable(const Link& link, const MoveLink& request) {
  if (!*request.force) require_ours(link, *request.tag_prefix, "move");
  if (link.master.value_or(0) != 0) throw Failure(0, reason::other_master, "move", *link.name);
}

// The move is the last. One with another name goes by index, so whose index it is, is looked at
// right before.
std::vector<netlink::Request> requests_of(const Move& move) {
  Destination destination{
      .network_namespace = move.target->fd.get(), .index = move.index(), .name = std::nullopt};
  if (!move.renames()) return {requests::move(acting_reference(move.before), "move", destination)};
  destination.name = move.name;
  const Reference index = Reference::by_index(*move.before.index);
  return {requests::get(index, "look up"), requests::move(index, "move", destination)};
}

bool is_another(const Move& move, const Link& found) {
  if (move.has_identity()) return found.identity() != move.before.identity();
  return found.name != move.before.name || found.mac != move.before.mac;
}

// Between the look-up and the move the link went, and another one has its index: that is fetched
// back.
void require_not_moved_another(Context& context, const Move& move, std::vector<Answer>& answers) {
  std::optional<Link>& found = answers.front().link;
  if (answers.size() < 2 || !found || !is_another(move, *found)) return;
  Failure failure(ENODEV, reason::no_such_link, "look up", move.old_name());
  if (answers.back().ack.error == 0) {
    const Move other{.before = std::move(*found), .target = move.target, .name = move.name};
    take_back(
        failure, [&] { return fetch_back(context, other); }, other.unknown());
  }
  throw failure;
}

// Which name or number is taken over there. That nobody could look is of no interest.
Failure explained(Context& context, const Move& move, Failure failure) try {
  if (failure.error != EEXIST && failure.error != EBUSY) return failure;
  Link wanted;
  wanted.name = move.name;
  const bool in_place = move.target->id == context.network_namespace().id;
  if (!in_place) {
    wanted.index = move.index();
    wanted.alt_names = move.before.alt_names;
  }
  run_there(context, move.target, [&](Context& there) {
    if (const auto taken = what_is_taken(there, wanted)) taken->explain(failure);
  });
  if (failure.reason == reason::index_taken) failure.error = EEXIST;
  // Linux before 6.2 renames no link that is up; one that moves is taken down on the way.
  if (in_place && failure.error == EBUSY && failure.reason == reason::kernel) {
    failure.reason = reason::link_is_up;
  }
  return failure;
} catch (const Failure&) {
  return failure;
}

Outcome run(Context& context, Record& record) {
  const auto& request = static_cast<MoveLink&>(record);
  Link before = look_up(context, *request.link);
  require_movable(before, request);
  const std::string name = request.name.value_or(*before.name);
  Outcome outcome;
  if (context.network_namespace().id == *request.target && name == before.name) {
    outcome.links.push_back(std::move(before));
    return outcome;
  }
  auto target = open_namespace(*request.target, *before.name);
  const Move move{.before = std::move(before), .target = std::move(target), .name = name};
  require_closable(context, move);
  const auto asked = requests_of(move);
  const auto undo = [&] { return fetch_back(context, move); };
  auto answers = ask_undoing(context, asked, undo, move.unknown());
  require_not_moved_another(context, move, answers);
  return undoing(
      [&] {
        if (const netlink::Ack& ack = answers.back().ack; ack.error != 0) {
          throw explained(context, move, refusal(ack, asked.back(), move.old_name()));
        }
        run_there(context, move.target, [&](Context& there) {
          outcome.links.push_back(settle(there, move, move.name));
          there.stop_if_cancelled();
        });
        return std::move(outcome);
      },
      undo, move.unknown());
}

}  // namespace

namespace operations {
extern const Operation move_link{"moveLink", &schema, run};
}

}  // namespace flintap
