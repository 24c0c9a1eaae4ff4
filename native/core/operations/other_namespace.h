// What an operation does about a network namespace that is not its thread's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/devices/network_namespace.h"
#include "core/operations/operation.h"

namespace flintap {

// One that has a handle in this process. Throws Failure "namespace-not-open" about `label`.
std::shared_ptr<const NetworkNamespace> open_namespace(std::int64_t id, std::string_view label);

// The number by which the thread's namespace knows the other one (what IFLA_LINK_NETNSID and
// IFLA_TARGET_NETNSID take). It is given one where it has none, and keeps it: the kernel takes none
// back before one of the two is gone.
std::int32_t number_here(Context& context, const NetworkNamespace& other);

// Runs `work` in the other namespace, with a Context there, on a thread of its own that ends then:
// an operation thread never leaves its namespace. Counted and cancelled like the operation that
// calls it. Throws what `work` throws.
void run_there(Context& context, const std::shared_ptr<const NetworkNamespace>& other,
               const std::function<void(Context& there)>& work);

}  // namespace flintap
