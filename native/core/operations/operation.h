// An operation: what JavaScript calls by name and the operation thread runs to its end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/devices/sysfs.h"
#include "core/link/link.h"
#include "core/netlink/socket.h"
#include "core/schema/record.h"
#include "core/system/fd.h"

namespace flintap {

// What operations work with: lives on the operation thread, in its network namespace.
class Context {
 public:
  // Opened when it is first needed: closing a queue takes none, and must work where no descriptor
  // can be had any more.
  netlink::Socket& socket() {
    if (!socket_) socket_.emplace();
    return *socket_;
  }
  // For when answers were lost: a dump that was cut short goes on in its socket and would make the
  // next one EBUSY.
  void drop_socket() { socket_.reset(); }

  Sysfs sysfs;

 private:
  std::optional<netlink::Socket> socket_;
};

struct Outcome {
  std::vector<Link> links;
  std::vector<Fd> fds;
  std::optional<std::string> boot_id;
  std::optional<std::string> machine_id;
};

struct Operation {
  std::string_view name;
  const Schema* request;
  // Throws Failure. All or nothing: what could not be undone stands in `left_behind`.
  Outcome (*run)(Context& context, Record& request);
};

// Null for a name that is no operation.
const Operation* find_operation(std::string_view name);

}  // namespace flintap
