// claimName: a name that one process at a time has, until it closes its descriptor or ends.
#include <cerrno>
#include <string>
#include <utility>

#include "core/devices/open_queues.h"
#include "core/operations/operation.h"
#include "core/schema/field.h"
#include "core/sockets/unix_address.h"
#include "core/system/system.h"

namespace flintap {
namespace {

struct ClaimName : Record {
  std::optional<std::string> name;
};

constexpr std::array fields{
    required(option<&ClaimName::name>("name")),
};
constexpr Schema schema{"claimName", fields, make_record<ClaimName>};

// An abstract name: the kernel keeps it for the network namespace of the thread, and there is no
// file that could be left behind.
Outcome claim(Context& context, Record& record) {
  const std::string& name = *static_cast<ClaimName&>(record).name;
  if (name.empty() || name.size() >= sizeof(sockaddr_un::sun_path)) {
    throw Failure(EINVAL, reason::kernel, "claim a name", name);
  }
  const UnixAddress address(std::string(1, '\0') + name);
  Fd socket = sys::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (!socket.valid()) throw Failure::of_errno("claim a name", name);
  if (sys::bind(socket.get(), address.get(), address.length()) < 0) {
    const int error = errno;
    throw Failure(error, error == EADDRINUSE ? reason::microvm_busy : reason::kernel,
                  "claim a name", name);
  }
  context.stop_if_cancelled();
  OpenQueues::of_process().add_other(socket.get());
  Outcome outcome;
  outcome.fds.push_back(std::move(socket));
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation claim_name{"claimName", &schema, claim};
}

}  // namespace flintap
