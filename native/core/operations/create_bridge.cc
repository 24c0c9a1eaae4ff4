#include "core/operations/creation.h"
#include "core/operations/request.h"

namespace flintap {
namespace {

struct CreateBridge : Record {
  std::unique_ptr<Link> link;
  std::optional<bool> accept_router_advertisements;
};

constexpr std::array fields{
    link_option<&CreateBridge::link>("link"),
    required(option<&CreateBridge::accept_router_advertisements>("acceptRouterAdvertisements")),
};
constexpr Schema schema{"createBridge", fields, make_record<CreateBridge>};

std::unique_ptr<Creation> begin(Job& job) {
  auto& request = static_cast<CreateBridge&>(*job.request);
  std::vector<Making> bridge;
  bridge.push_back(begin_making(std::move(*request.link), "bridge"));
  bridge[0].refuse_router_advertisements = !*request.accept_router_advertisements;
  return std::make_unique<Creation>(job, std::move(bridge));
}

void run(Context& context, std::span<Job* const> jobs) { create_together(context, jobs, begin); }

}  // namespace

namespace operations {
extern const Operation create_bridge{.name = "createBridge",
                                     .request = &schema,
                                     .run_together = run,
                                     .most_together = kMostMadeTogether};
}

}  // namespace flintap
