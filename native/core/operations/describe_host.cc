// Facts for tags and stable addresses, read off the JavaScript thread.
#include <fcntl.h>

#include "core/operations/request.h"
#include "core/system/system.h"

namespace flintap {
namespace {

constexpr Schema schema{"describeHost", {}, make_record<Record>};

std::optional<std::string> fact(const char* path) {
  std::string text = sys::read_small_file(AT_FDCWD, path);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Outcome run(Context&, Record&) {
  Outcome outcome;
  outcome.boot_id = fact("/proc/sys/kernel/random/boot_id");
  outcome.machine_id = fact("/etc/machine-id");
  return outcome;
}

}  // namespace

namespace operations {
extern const Operation describe_host{"describeHost", &schema, run};
}

}  // namespace flintap
