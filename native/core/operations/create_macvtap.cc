#include "core/link/kinds/macvtap.h"
#include "core/operations/creation.h"
#include "core/operations/explanation.h"
#include "core/operations/other_namespace.h"
#include "core/operations/parent.h"
#include "core/operations/request.h"

namespace flintap {
namespace {

struct CreateMacvtap : Record {
  std::unique_ptr<Reference> parent;
  std::unique_ptr<Link> link;
  std::optional<HostIpv6> host_ipv6;
};

constexpr std::array fields{
    required(reference_option<&CreateMacvtap::parent>("parent")),
    link_option<&CreateMacvtap::link>("link"),
    required(option<&CreateMacvtap::host_ipv6>("hostIPv6")),
};
constexpr Schema schema{"createMacvtap", fields, make_record<CreateMacvtap>};

// A length of 0 (a parent without a queue of its own) would leave the guest's ring without room.
void inherit(Link& wanted, const Link& parent) {
  wanted.parent = parent.index;
  if (!wanted.mtu) wanted.mtu = parent.mtu;
  if (!wanted.tx_queue_length && parent.tx_queue_length.value_or(0) > 0) {
    wanted.tx_queue_length = parent.tx_queue_length;
  }
}

// Another namespace, held open: the number it has here would else be given to the next one.
struct Elsewhere {
  std::shared_ptr<const NetworkNamespace> network_namespace;
  std::int32_t number = 0;
};

// A parent that was read in another namespace is looked up there, through its number here.
std::optional<Elsewhere> look_elsewhere(Context& context, Reference& parent) {
  if (!parent.network_namespace || parent.network_namespace == context.network_namespace_id()) {
    return std::nullopt;
  }
  auto there = open_namespace(*parent.network_namespace, parent.label());
  const std::int32_t number = number_here(context, *there);
  parent.looked_up_in = number;
  parent.network_namespace.reset();
  return Elsewhere{.network_namespace = std::move(there), .number = number};
}

// In mode passthru it has its parent's MAC. A parent in another namespace is in another sysfs.
Wireless wireless_for(const Link& wanted) {
  const auto* macvtap = dynamic_cast<const Macvtap*>(wanted.details.get());
  const bool shares_mac = macvtap != nullptr && macvtap->mode == MacvtapMode::passthru;
  return shares_mac || wanted.parent_namespace ? Wireless::taken : Wireless::refused;
}

std::vector<Link> make(Context& context, Making& making, const Link& parent) {
  require_parent(context, parent, wireless_for(making.wanted), making.name());
  inherit(making.wanted, parent);
  try {
    return make_links(context, {&making, 1}, &parent);
  } catch (Failure& failure) {
    const Link& wanted = making.wanted;
    if (wanted.mac && !wanted.parent_namespace) {
      name_mac_holder(context, {.parent = *parent.index, .own = *wanted.index, .mac = *wanted.mac},
                      failure);
    }
    throw;
  }
}

Outcome run(Context& context, Record& record) {
  auto& request = static_cast<CreateMacvtap&>(record);
  Making making = begin_making(std::move(*request.link), "macvtap");
  making.host_ipv6 = *request.host_ipv6;
  const auto elsewhere = look_elsewhere(context, *request.parent);
  if (elsewhere) making.wanted.parent_namespace = elsewhere->number;
  const auto look = [&] {
    return look_before_making(context, request.parent.get(), reason::no_such_parent, {&making, 1});
  };
  const auto parent = elsewhere ? look() : naming_existing(context, look);
  Outcome outcome;
  outcome.links = on_link(*parent, [&] { return make(context, making, *parent); });
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation create_macvtap{"createMacvtap", &schema, run};
}

}  // namespace flintap
