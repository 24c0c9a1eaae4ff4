#include <cerrno>

#include "core/failure.h"
#include "core/operations/operation.h"

namespace flintap {

void Context::stop_if_cancelled() const {
  static const Cancellation kNever;
  stop_if_cancelled(cancellation == nullptr ? kNever : *cancellation);
}

void Context::stop_if_cancelled(const Cancellation& of_job) const {
  if (of_job.requested() || (ending != nullptr && *ending)) {
    throw Failure(ECANCELED, reason::aborted, "finish");
  }
}

const NetworkNamespace& Context::network_namespace() {
  if (!network_namespace_) {
    network_namespace_ = NetworkNamespace::of_this_thread();
    OpenNamespaces::of_process().add(network_namespace_);
  }
  return *network_namespace_;
}

std::optional<std::int64_t> Context::network_namespace_id() try {
  return network_namespace().id;
} catch (const Failure& failure) {
  const bool never = failure.error == ENOENT || failure.error == ENOTDIR ||
                     failure.error == EACCES || failure.error == EPERM;
  if (never) return std::nullopt;
  throw;
}

}  // namespace flintap
