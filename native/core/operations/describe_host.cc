// Facts for tags and stable addresses, read off the JavaScript thread.
#include <fcntl.h>

#include <cerrno>

#include "core/failure.h"
#include "core/operations/request.h"
#include "core/system/system.h"

namespace flintap {
namespace {

constexpr Schema schema{"describeHost", {}, make_record<Record>};

// Nothing where the file is not there or not for us. Any other failure is one: to go on without
// would give a device a tag and an address of another form than the time before.
std::optional<std::string> fact(const char* path) {
  auto text = sys::read_small_file(AT_FDCWD, path);
  if (!text && errno != ENOENT && errno != EACCES && errno != EPERM) {
    throw Failure::of_errno("read " + std::string(path));
  }
  return text && text->empty() ? std::nullopt : std::move(text);
}

Outcome run(Context& context, Record&) {
  Outcome outcome;
  outcome.network_namespace = context.network_namespace_id();
  outcome.boot_id = fact("/proc/sys/kernel/random/boot_id");
  outcome.machine_id = fact("/etc/machine-id");
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation describe_host{"describeHost", &schema, run};
}

}  // namespace flintap
