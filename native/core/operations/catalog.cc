#include <algorithm>
#include <array>

#include "core/operations/operation.h"

namespace flintap {
namespace operations {
extern const Operation create_macvtap, create_tap, create_bridge, create_veth, attach_to_bridge,
    detach_from_bridge, delete_link, get_link, list_links, open_macvtap, open_tap, close_queue,
    describe_host, open_namespace, move_link, set_link, find_links, get_place, require_unheld,
    claim_name;
}

namespace {
constexpr std::array catalog{
    &operations::create_macvtap, &operations::create_tap,       &operations::create_bridge,
    &operations::create_veth,    &operations::attach_to_bridge, &operations::detach_from_bridge,
    &operations::delete_link,    &operations::get_link,         &operations::list_links,
    &operations::open_macvtap,   &operations::open_tap,         &operations::close_queue,
    &operations::describe_host,  &operations::open_namespace,   &operations::move_link,
    &operations::set_link,       &operations::find_links,       &operations::get_place,
    &operations::require_unheld, &operations::claim_name,
};
}

const Operation* find_operation(std::string_view name) {
  const auto found = std::ranges::find(catalog, name, &Operation::name);
  return found == catalog.end() ? nullptr : *found;
}

}  // namespace flintap
