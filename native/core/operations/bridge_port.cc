// attachToBridge and detachFromBridge.
#include <cerrno>

#include "core/operations/explanation.h"
#include "core/operations/request.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

struct AttachToBridge : Record {
  std::unique_ptr<Reference> link;
  std::unique_ptr<Reference> bridge;
  std::unique_ptr<Record> port;
  std::optional<bool> force;
};

constexpr std::array attach_fields{
    required(reference_option<&AttachToBridge::link>("link")),
    required(reference_option<&AttachToBridge::bridge>("bridge")),
    bridge_port_option<&AttachToBridge::port>("port"),
    required(option<&AttachToBridge::force>("force")),
};
constexpr Schema attach_schema{"attachToBridge", attach_fields, make_record<AttachToBridge>};

struct DetachFromBridge : Record {
  std::unique_ptr<Reference> link;
};

constexpr std::array detach_fields{
    required(reference_option<&DetachFromBridge::link>("link")),
};
constexpr Schema detach_schema{"detachFromBridge", detach_fields, make_record<DetachFromBridge>};

Link master_change(std::uint32_t master) {
  Link change;
  change.master = master;
  return change;
}

// What of the port is not as it was before.
std::optional<Mismatch> difference(const Link& before, const Link& now) {
  if (now.master.value_or(0) != before.master.value_or(0)) {
    return Mismatch{"master", std::to_string(before.master.value_or(0)),
                    std::to_string(now.master.value_or(0))};
  }
  const Kind* kind = before.port_kind ? find_kind(*before.port_kind) : nullptr;
  if (!before.port || !now.port || kind == nullptr) return std::nullopt;
  return compare(*before.port, *now.port, *kind->port);
}

std::string label(const Link& before) {
  return "link " + before.name.value_or("") + ": its master and port settings";
}

// Puts the port back to where it was, if it is where it was put to or nowhere. A port that somebody
// else took in the meantime stays theirs.
Left restore(Context& context, const Link& before, std::uint32_t put_to) try {
  const Reference link = acting_reference(before);
  const Link now = look_up(context, link);
  const std::uint32_t master = now.master.value_or(0);
  const bool moved = master != before.master.value_or(0);
  if (!difference(before, now) || (moved && master != put_to && master != 0)) return std::nullopt;
  std::vector<netlink::Request> batch;
  if (moved) {
    batch.push_back(requests::change(link, "undo", master_change(before.master.value_or(0))));
  }
  if (const Kind* kind = before.port_kind ? find_kind(*before.port_kind) : nullptr;
      before.port && kind != nullptr) {
    batch.push_back(requests::set_port(link, "undo", kind->name, *before.port, *kind->port));
  }
  ask(context, batch);
  const auto left = difference(before, look_up(context, link));
  if (!left) return std::nullopt;
  return "link " + link.label() + ": " + left->field + " is " + left->actual + ", not " +
         left->expected;
} catch (const Failure& failure) {
  if (failure.error == ENODEV) return std::nullopt;  // gone, and its port with it
  throw;
}

Outcome make_port(Context& context, AttachToBridge& request, const Link& before,
                  const Link& bridge) {
  if (before.master.value_or(0) != 0 && before.master != bridge.index && !*request.force) {
    throw Failure(0, reason::other_master, "attach", before.name.value_or(""));
  }
  const Reference link = acting_reference(before);
  std::vector<netlink::Request> batch{
      requests::change(link, "attach", master_change(*bridge.index))};
  if (request.port) {
    batch.push_back(requests::set_port(link, "set the port", "bridge", *request.port,
                                       *find_kind("bridge")->port));
  }
  batch.push_back(requests::get(link, "read back"));
  Link wanted = master_change(*bridge.index);
  wanted.port_kind = "bridge";
  wanted.port = std::move(request.port);
  const auto undo = [&] { return restore(context, before, *bridge.index); };
  auto answers = ask_undoing(context, batch, undo, label(before));
  return undoing(
      [&] {
        require(answers, batch, link.label());
        Link& after = found(answers.back(), link, reason::no_such_link);
        if (auto mismatch = compare(wanted, after, kLinkSchema)) {
          throw ignored(*mismatch, link.label());
        }
        context.stop_if_cancelled();
        Outcome outcome;
        outcome.links.push_back(std::move(after));
        return outcome;
      },
      undo, label(before));
}

Outcome attach(Context& context, Record& record) {
  auto& request = static_cast<AttachToBridge&>(record);
  const std::array questions{requests::get(*request.link, "look up"),
                             requests::get(*request.bridge, "look up")};
  auto looked_up = ask(context, questions);
  const Link& before = found(looked_up[0], *request.link, reason::no_such_link);
  const Link bridge = naming_existing(context, [&] {
    return std::move(found(looked_up[1], *request.bridge, reason::no_such_bridge));
  });
  require_bridge(bridge);
  return on_link(bridge, [&] { return make_port(context, request, before, bridge); });
}

Outcome detach(Context& context, Record& record) {
  const auto& request = static_cast<DetachFromBridge&>(record);
  Link before = look_up(context, *request.link);
  Outcome outcome;
  if (before.master.value_or(0) == 0) {
    outcome.links.push_back(std::move(before));
    return outcome;
  }
  if (before.port_kind != "bridge") {
    throw Failure(0, reason::not_a_bridge, "detach", before.name.value_or(""));
  }
  const Reference link = acting_reference(before);
  const std::array batch{requests::change(link, "detach", master_change(0)),
                         requests::get(link, "read back")};
  const auto undo = [&] { return restore(context, before, 0); };
  auto answers = ask_undoing(context, batch, undo, label(before));
  return undoing(
      [&] {
        require(answers, batch, link.label());
        context.stop_if_cancelled();
        outcome.links.push_back(std::move(found(answers[1], link, reason::no_such_link)));
        return std::move(outcome);
      },
      undo, label(before));
}

}  // namespace

namespace operations {
extern const Operation attach_to_bridge{"attachToBridge", &attach_schema, attach};
extern const Operation detach_from_bridge{"detachFromBridge", &detach_schema, detach};
}  // namespace operations

}  // namespace flintap
