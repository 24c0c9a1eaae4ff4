#include <cerrno>

#include "core/devices/open_queues.h"
#include "core/devices/tun.h"
#include "core/link/kinds/tun.h"
#include "core/operations/creation.h"
#include "core/operations/explanation.h"
#include "core/operations/request.h"

namespace flintap {
namespace {

struct CreateTap : Record {
  std::unique_ptr<Reference> bridge;
  std::unique_ptr<Record> port;
  std::unique_ptr<Link> link;
  std::optional<HostIpv6> host_ipv6;
  std::optional<bool> persistent;
  std::optional<bool> multi_queue;
  std::optional<bool> vnet_header;
  std::optional<std::uint32_t> vnet_header_size;
  std::optional<std::uint32_t> queues;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

constexpr std::array fields{
    reference_option<&CreateTap::bridge>("bridge"),
    bridge_port_option<&CreateTap::port>("port"),
    link_option<&CreateTap::link>("link"),
    required(option<&CreateTap::host_ipv6>("hostIPv6")),
    required(option<&CreateTap::persistent>("persistent")),
    required(option<&CreateTap::multi_queue>("multiQueue")),
    required(option<&CreateTap::vnet_header>("vnetHeader")),
    option<&CreateTap::vnet_header_size>("vnetHeaderSize"),
    required(option<&CreateTap::queues>("queues")),
    option<&CreateTap::uid>("uid"),
    option<&CreateTap::gid>("gid"),
};
constexpr Schema schema{"createTap", fields, make_record<CreateTap>};

tun::TapSettings settings_of(const CreateTap& request, const Making& making) {
  return {
      .name = std::string(making.name()),
      .index = making.wanted.index,
      .flags = {.multi_queue = *request.multi_queue, .vnet_header = *request.vnet_header},
      .carrier = !*request.persistent,
      .vnet_header_size = request.vnet_header_size,
      .uid = request.uid,
      .gid = request.gid,
  };
}

std::unique_ptr<Tun> details_of(const CreateTap& request) {
  auto details = std::make_unique<Tun>();
  details->type = TunType::tap;
  details->uid = request.uid;
  details->gid = request.gid;
  details->packet_information = false;
  details->vnet_header = request.vnet_header;
  details->multi_queue = request.multi_queue;
  if (*request.multi_queue && !*request.persistent) details->queues = request.queues;
  return details;
}

// TUNSETIFF says the same for a taken name and a taken index; an index of our own is drawn anew.
Fd make_tap(Context& context, const CreateTap& request, Making& making) {
  for (int tries = 0;; ++tries) {
    try {
      return tun::create(settings_of(request, making));
    } catch (Failure& failure) {
      if (failure.error != EEXIST) throw;
      explain_taken(context, {&making, 1}, failure);
      if (failure.reason != reason::index_taken || making.index_chosen || tries == kDraws) throw;
      redraw_index(making);
    }
  }
}

// What rtnetlink adds to the bare tap. The master goes before the port's settings.
void add_tap_settings(std::vector<netlink::Request>& batch, const CreateTap& request,
                      const Making& making) {
  const Reference reference = making.reference();
  add_marks(batch, making);
  Link settings;
  settings.mac = making.wanted.mac;
  settings.mtu = making.wanted.mtu;
  settings.tx_queue_length = making.wanted.tx_queue_length;
  batch.push_back(requests::change(reference, "configure", settings));
  if (making.wanted.master) {
    Link attached;
    attached.master = making.wanted.master;
    batch.push_back(requests::change(reference, "attach", attached));
  }
  if (making.wanted.port) {
    batch.push_back(requests::set_port(reference, "set the port", "bridge", *making.wanted.port,
                                       *find_kind("bridge")->port));
  }
  if (*request.multi_queue) {
    batch.push_back(requests::set_noqueue(*making.wanted.index, "set the queueing discipline"));
  }
}

// The first queue makes the tap; the others are opened by its name, so their number is read back.
std::vector<Fd> make_queues(Context& context, const CreateTap& request, Making& making) {
  std::vector<Fd> queues;
  queues.push_back(make_tap(context, request, making));
  while (queues.size() < *request.queues) {
    queues.push_back(tun::open_queue(
        std::string(making.name()),
        {.multi_queue = *request.multi_queue, .vnet_header = *request.vnet_header}));
  }
  return queues;
}

// What has changed since the tap was read back: it stays, and nobody has a queue open.
void leave_persistent(Link& link, const Fd& queue) {
  tun::make_persistent(queue, link.name.value_or(""));
  auto* tap = dynamic_cast<Tun*>(link.details.get());
  if (tap == nullptr) return;
  tap->persistent = true;
  if (tap->queues) tap->queues = 0;
}

void hand_out(Outcome& outcome, std::vector<Fd> queues) {
  for (const Fd& queue : queues) {
    OpenQueues::of_process().add(queue, outcome.links[0]);
  }
  outcome.fds = std::move(queues);
}

// A failure closes the queues and the kernel removes the tap: it is not persistent until the last
// step.
class TapCreation : public Creation {
 public:
  TapCreation(Job& of, std::vector<Making> taps)
      : Creation(of, std::move(taps)), request_(static_cast<CreateTap&>(*of.request)) {
    // TUNSETIFF tells a taken one.
    looks_for_index = false;
    on = request_.bridge.get();
    absent = reason::no_such_bridge;
  }

  void prepare(Context& context) override {
    Making& making = makings[0];
    if (base) {
      require_bridge(*base);
      making.wanted.master = base->index;
      making.wanted.port_kind = "bridge";
      making.wanted.port = std::move(request_.port);
    }
    queues_ = make_queues(context, request_, making);
  }
  void add_create(std::vector<netlink::Request>&) override {}
  void add_settings(std::vector<netlink::Request>& batch) override {
    add_tap_settings(batch, request_, makings[0]);
  }
  void hand_over(Outcome& outcome) override {
    if (*request_.persistent) {
      leave_persistent(outcome.links[0], queues_.front());
      queues_.clear();
    } else {
      hand_out(outcome, std::move(queues_));
    }
  }
  void undo(Context&, Failure&) override { queues_.clear(); }
  void explain(Context& context, Failure& failure) override { name_existing(context, failure); }

 private:
  CreateTap& request_;
  std::vector<Fd> queues_;
};

std::unique_ptr<Creation> begin(Job& job) {
  auto& request = static_cast<CreateTap&>(*job.request);
  std::vector<Making> taps;
  taps.push_back(begin_making(std::move(*request.link), "tun"));
  taps[0].host_ipv6 = *request.host_ipv6;
  taps[0].wanted.details = details_of(request);
  return std::make_unique<TapCreation>(job, std::move(taps));
}

void run(Context& context, std::span<Job* const> jobs) { create_together(context, jobs, begin); }

}  // namespace

namespace operations {
extern const Operation create_tap{.name = "createTap",
                                  .request = &schema,
                                  .run_together = run,
                                  .most_together = kMostMadeTogether};
}

}  // namespace flintap
