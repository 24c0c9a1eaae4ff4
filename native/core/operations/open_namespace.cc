// NetworkNamespace.open: the first operation of a handle on a namespace that is not the process's
// own.
#include <fcntl.h>

#include <cerrno>

#include "core/operations/request.h"
#include "core/system/system.h"

namespace flintap {
namespace {

struct OpenNamespace : Record {
  std::optional<std::string> path;
  std::optional<std::uint32_t> pid;
  std::optional<std::int32_t> fd;
};

constexpr std::array fields{
    option<&OpenNamespace::path>("path"),
    option<&OpenNamespace::pid>("pid"),
    option<&OpenNamespace::fd>("fd"),
};
constexpr Schema schema{"NetworkNamespace.open", fields, make_record<OpenNamespace>};

// O_NONBLOCK: a path that is a FIFO must not hold the thread.
Fd open_file(const std::string& path) {
  Fd file = sys::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (file.valid()) return file;
  Failure failure = Failure::of_errno("open the network namespace", path);
  if (failure.error == ENOENT || failure.error == ENOTDIR || failure.error == ESRCH) {
    failure.reason = reason::no_such_namespace;
  } else if (failure.error == EACCES) {
    failure.reason = reason::no_permission;
  }
  throw failure;
}

Outcome run(Context& context, Record& record) {
  const auto& request = static_cast<OpenNamespace&>(record);
  if (request.fd) {
    enter_network_namespace(*request.fd, "descriptor " + std::to_string(*request.fd));
  } else {
    const std::string path = request.pid ? "/proc/" + std::to_string(*request.pid) + "/ns/net"
                                         : request.path.value_or("");
    enter_network_namespace(open_file(path).get(), path);
  }
  Outcome outcome;
  // Without its number, a watch or a held link could be taken for one of the process's own.
  outcome.network_namespace = context.network_namespace().id;
  context.stop_if_cancelled();
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation open_namespace{"NetworkNamespace.open", &schema, run};
}

}  // namespace flintap
