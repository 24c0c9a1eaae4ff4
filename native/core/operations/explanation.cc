#include "core/operations/explanation.h"

#include <algorithm>
#include <array>

#include "core/devices/queue_holder.h"
#include "core/operations/parent.h"

namespace flintap {
namespace {

constexpr std::size_t kMostNamed = 8;

bool is_bridge(const Link& link) { return link.kind == "bridge"; }

// What nobody would take for a parent is left out although the kernel might: a tap is a guest's.
bool can_be_parent(const Link& link) {
  constexpr std::array<std::string_view, 3> guests{"macvtap", "macvlan", "tun"};
  const std::string_view kind = link.kind ? std::string_view(*link.kind) : std::string_view();
  return carries_ethernet(link) && std::ranges::find(guests, kind) == guests.end();
}

// A dump that was cut short would go on in its socket.
void give_up(Context& context, const Failure& failure) {
  if (failure.reason == reason::outcome_unknown) context.drop_socket();
}

}  // namespace

void name_existing(Context& context, Failure& failure) try {
  const bool for_bridge = failure.reason == reason::no_such_bridge;
  if (!for_bridge && failure.reason != reason::no_such_parent) return;
  std::vector<std::string> names;
  for (const Link& link : list_links(context, {}, for_bridge ? is_bridge : can_be_parent)) {
    names.push_back(link.name.value_or(""));
  }
  std::ranges::sort(names);
  failure.existing_more = names.size() - std::min(names.size(), kMostNamed);
  names.resize(names.size() - failure.existing_more);
  failure.existing = std::move(names);
} catch (const Failure& second) {
  give_up(context, second);
}

void name_mac_holder(Context& context, const MacPlace& place, Failure& failure) try {
  if (failure.reason != reason::duplicate_mac) return;
  const auto has_it = [&](const Link& link) {
    if (link.mac != place.mac || link.index == place.own) return false;
    const bool beside =
        link.parent == place.parent && !link.parent_namespace && link.up.value_or(false);
    return beside || link.index == place.parent;
  };
  const auto links = list_links(context, {}, has_it);
  if (!links.empty()) failure.holder = holder_of(links.front());
} catch (const Failure& second) {
  give_up(context, second);
}

void name_holding_process(Context& context, const std::string& tap, Failure& failure) try {
  if (failure.reason != reason::tap_held) return;
  failure.holder = find_tap_holder(tap, context.network_namespace_id());
} catch (const Failure& second) {
  give_up(context, second);
}

}  // namespace flintap
