#include <map>

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

// Other namespaces, held open: the number that one has here would else be given to the next one.
struct Elsewhere {
  std::shared_ptr<const NetworkNamespace> network_namespace;
  std::int32_t number = 0;
};
using Elsewheres = std::map<std::int64_t, Elsewhere>;

// A parent that was read in another namespace is looked up there, through its number here. Calls
// that run together ask once for it.
std::optional<std::int32_t> look_elsewhere(Context& context, Elsewheres& known, Reference& parent) {
  if (!parent.network_namespace || parent.network_namespace == context.network_namespace_id()) {
    return std::nullopt;
  }
  const std::int64_t id = *parent.network_namespace;
  auto there = known.find(id);
  if (there == known.end()) {
    auto opened = open_namespace(id, parent.label());
    const std::int32_t number = number_here(context, *opened);
    there = known.insert({id, {.network_namespace = std::move(opened), .number = number}}).first;
  }
  parent.looked_up_in = there->second.number;
  parent.network_namespace.reset();
  return there->second.number;
}

bool is_passthru(const Link& wanted) {
  const auto* macvtap = dynamic_cast<const Macvtap*>(wanted.details.get());
  return macvtap != nullptr && macvtap->mode == MacvtapMode::passthru;
}

struct MacvtapCreation : Creation {
  using Creation::Creation;

  // In mode passthru it has its parent's MAC. A parent in another namespace is in another sysfs.
  void prepare(Context& context) override {
    Link& wanted = makings[0].wanted;
    const bool any = is_passthru(wanted) || wanted.parent_namespace;
    require_parent(context, *base, any ? Wireless::taken : Wireless::refused, makings[0].name());
    inherit(wanted, *base);
  }

  void explain(Context& context, Failure& failure) override {
    const Link& wanted = makings[0].wanted;
    if (wanted.parent_namespace) return;
    name_existing(context, failure);
    if (!base || !wanted.mac) return;
    name_mac_holder(context, {.parent = *base->index, .own = *wanted.index, .mac = *wanted.mac},
                    failure);
  }
};

std::unique_ptr<Creation> begin(Context& context, Elsewheres& known, Job& job) {
  auto& request = static_cast<CreateMacvtap&>(*job.request);
  std::vector<Making> links;
  links.push_back(begin_making(std::move(*request.link), "macvtap"));
  links[0].host_ipv6 = *request.host_ipv6;
  links[0].wanted.parent_namespace = look_elsewhere(context, known, *request.parent);
  auto creation = std::make_unique<MacvtapCreation>(job, std::move(links));
  creation->on = request.parent.get();
  creation->absent = reason::no_such_parent;
  // It shares its parent with no other, also with none that fails and goes again.
  creation->alone = is_passthru(creation->makings[0].wanted);
  return creation;
}

void run(Context& context, std::span<Job* const> jobs) {
  Elsewheres known;
  create_together(context, jobs, [&](Job& job) { return begin(context, known, job); });
}

}  // namespace

namespace operations {
extern const Operation create_macvtap{.name = "createMacvtap",
                                      .request = &schema,
                                      .run_together = run,
                                      .most_together = kMostMadeTogether};
}

}  // namespace flintap
