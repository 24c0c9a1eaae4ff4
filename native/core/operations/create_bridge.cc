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

Outcome run(Context& context, Record& record) {
  auto& request = static_cast<CreateBridge&>(record);
  Making making = begin_making(std::move(*request.link), "bridge");
  making.refuse_router_advertisements = !*request.accept_router_advertisements;
  look_before_making(context, nullptr, {}, {&making, 1});
  Outcome outcome;
  outcome.links = make_links(context, {&making, 1}, nullptr);
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation create_bridge{"createBridge", &schema, run};
}

}  // namespace flintap
