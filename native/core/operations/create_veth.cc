#include "core/link/kinds/veth.h"
#include "core/operations/creation.h"
#include "core/operations/request.h"

namespace flintap {
namespace {

struct CreateVeth : Record {
  std::unique_ptr<Link> link;
  std::unique_ptr<Link> peer;
  std::optional<HostIpv6> host_ipv6;
};

constexpr std::array fields{
    link_option<&CreateVeth::link>("link"),
    link_option<&CreateVeth::peer>("peer"),
    required(option<&CreateVeth::host_ipv6>("hostIPv6")),
};
constexpr Schema schema{"createVeth", fields, make_record<CreateVeth>};

// The create names the other end inside its own details.
std::unique_ptr<Veth> pair_with(const Link& peer) {
  auto details = std::make_unique<Veth>();
  details->peer = std::make_unique<Link>();
  details->peer->index = peer.index;
  details->peer->name = peer.name;
  details->peer->mac = peer.mac;
  details->peer->mtu = peer.mtu;
  details->peer->tx_queue_length = peer.tx_queue_length;
  return details;
}

struct VethCreation : Creation {
  using Creation::Creation;

  // The other end's index is known by now.
  void prepare(Context&) override { makings[0].wanted.details = pair_with(makings[1].wanted); }
};

std::unique_ptr<Creation> begin(Job& job) {
  auto& request = static_cast<CreateVeth&>(*job.request);
  std::vector<Making> ends;
  ends.push_back(begin_making(std::move(*request.link), "veth"));
  ends.push_back(begin_making(std::move(*request.peer), "veth"));
  for (Making& end : ends) end.host_ipv6 = *request.host_ipv6;
  return std::make_unique<VethCreation>(job, std::move(ends));
}

void run(Context& context, std::span<Job* const> jobs) { create_together(context, jobs, begin); }

}  // namespace

namespace operations {
extern const Operation create_veth{.name = "createVeth",
                                   .request = &schema,
                                   .run_together = run,
                                   .most_together = kMostMadeTogether};
}

}  // namespace flintap
