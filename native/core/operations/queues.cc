// openMacvtap, openTap, requireUnheld and closeQueue.
#include <cerrno>
#include <utility>

#include "core/devices/macvtap.h"
#include "core/devices/open_queues.h"
#include "core/devices/queue_holder.h"
#include "core/devices/tun.h"
#include "core/link/kinds/tun.h"
#include "core/operations/explanation.h"
#include "core/operations/request.h"
#include "core/operations/transact.h"

namespace flintap {
namespace {

struct OpenMacvtap : Record {
  std::unique_ptr<Reference> link;
  std::optional<bool> additional_queue;
};

constexpr std::array open_macvtap_fields{
    required(reference_option<&OpenMacvtap::link>("link")),
    required(option<&OpenMacvtap::additional_queue>("additionalQueue")),
};
constexpr Schema open_macvtap_schema{"openMacvtap", open_macvtap_fields, make_record<OpenMacvtap>};

struct OpenTap : Record {
  std::unique_ptr<Reference> link;
};

constexpr std::array open_tap_fields{
    required(reference_option<&OpenTap::link>("link")),
};
constexpr Schema open_tap_schema{"openTap", open_tap_fields, make_record<OpenTap>};

struct RequireUnheld : Record {
  std::unique_ptr<Reference> link;
};

constexpr std::array require_unheld_fields{
    required(reference_option<&RequireUnheld::link>("link")),
};
constexpr Schema require_unheld_schema{"requireUnheld", require_unheld_fields,
                                       make_record<RequireUnheld>};

struct CloseQueue : Record {
  std::optional<std::int32_t> fd;
};

constexpr std::array close_queue_fields{
    required(option<&CloseQueue::fd>("fd")),
};
constexpr Schema close_queue_schema{"closeQueue", close_queue_fields, make_record<CloseQueue>};

Outcome handed_out(Link link, Fd queue) {
  Outcome outcome;
  outcome.links.push_back(std::move(link));
  outcome.fds.push_back(std::move(queue));
  return outcome;
}

// A queue was opened by a name or a number that may belong to another link by now: what it holds on
// to is the link that was looked up only if that one is still there, under the same name.
Link still_there(Context& context, const Link& before) {
  Link after = look_up(context, acting_reference(before));
  if (after.index != before.index || after.name != before.name) {
    throw Failure(ENODEV, reason::no_such_link, "open the queue", before.name.value_or(""));
  }
  return after;
}

Outcome open_macvtap(Context& context, Record& record) {
  const auto& request = static_cast<OpenMacvtap&>(record);
  const Link before = look_up(context, *request.link);
  if (before.kind != "macvtap") {
    throw Failure(0, reason::not_a_macvtap, "open the queue", before.name.value_or(""));
  }
  Fd queue = macvtap::open_queue(before, context.sysfs, *request.additional_queue);
  try {
    Link after = still_there(context, before);
    context.stop_if_cancelled();
    return handed_out(std::move(after), std::move(queue));
  } catch (const Failure&) {
    OpenQueues::of_process().close(queue.release());
    throw;
  }
}

tun::QueueFlags flags_of(const Tun& tap) {
  return {
      .multi_queue = tap.multi_queue.value_or(false),
      .vnet_header = tap.vnet_header.value_or(false),
      .packet_information = tap.packet_information.value_or(false),
  };
}

Fd open_queue(Context& context, const std::string& name, const Tun& tap) {
  try {
    return tun::open_queue(name, flags_of(tap));
  } catch (Failure& failure) {
    name_holding_process(context, name, failure);
    throw;
  }
}

// TUNSETIFF goes by name, and makes a tap where there is none.
Outcome open_tap(Context& context, Record& record) {
  const auto& request = static_cast<OpenTap&>(record);
  const Link before = look_up(context, *request.link);
  const auto* tap = dynamic_cast<const Tun*>(before.details.get());
  if (tap == nullptr || tap->type != TunType::tap) {
    throw Failure(0, reason::not_a_tap, "open the queue", before.name.value_or(""));
  }
  Fd queue = open_queue(context, *before.name, *tap);
  Link after = still_there(context, before);
  context.stop_if_cancelled();
  OpenQueues::of_process().add(queue, after);
  return handed_out(std::move(after), std::move(queue));
}

// A tap that is not persistent is there because somebody has it, even where nobody is found.
Outcome require_unheld(Context& context, Record& record) {
  Outcome outcome;
  outcome.links.push_back(look_up(context, *static_cast<RequireUnheld&>(record).link));
  const Link& link = outcome.links.front();
  const std::string name = link.name.value_or("");
  std::optional<Holder> holder;
  bool held = false;
  if (const auto* tap = dynamic_cast<const Tun*>(link.details.get())) {
    holder = find_tap_holder(name, context.network_namespace_id());
    held = !tap->persistent.value_or(false);
  } else if (link.kind == "macvtap") {
    holder =
        find_macvtap_holder(macvtap::device_number(link, context.sysfs), macvtap::node_name(link));
  }
  if (!held && !holder) return outcome;
  Failure failure(EBUSY, reason::queues_held, "look for who has its queues", name);
  failure.holder = std::move(holder);
  throw failure;
}

Outcome close_queue(Context&, Record& record) {
  OpenQueues::of_process().close(*static_cast<CloseQueue&>(record).fd);
  return {};
}

}  // namespace

namespace operations {
extern const Operation open_macvtap{"openMacvtap", &open_macvtap_schema, flintap::open_macvtap};
extern const Operation open_tap{"openTap", &open_tap_schema, flintap::open_tap};
extern const Operation require_unheld{"requireUnheld", &require_unheld_schema,
                                      flintap::require_unheld};
extern const Operation close_queue{"closeQueue", &close_queue_schema, flintap::close_queue};
}  // namespace operations

}  // namespace flintap
