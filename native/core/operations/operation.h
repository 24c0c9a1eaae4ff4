// An operation: what JavaScript calls by name and the operation thread runs to its end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/devices/network_namespace.h"
#include "core/devices/sysfs.h"
#include "core/failure.h"
#include "core/json/link_list.h"
#include "core/link/link.h"
#include "core/netlink/socket.h"
#include "core/operations/cancellation.h"
#include "core/operations/senders.h"
#include "core/operations/wireless_parents.h"
#include "core/schema/record.h"
#include "core/system/fd.h"

namespace flintap {

// What operations work with: lives on the operation thread, in its network namespace.
class Context {
 public:
  Context() = default;
  // For a thread of which it is known where it is.
  explicit Context(std::shared_ptr<const NetworkNamespace> network_namespace)
      : network_namespace_(std::move(network_namespace)) {}

  // Opened when it is first needed: closing a queue takes none, and must work where no descriptor
  // can be had any more.
  netlink::Socket& socket() {
    if (!socket_) socket_.emplace();
    return *socket_;
  }
  // For when answers were lost: a dump that was cut short goes on in its socket and would make the
  // next one EBUSY.
  void drop_socket() {
    if (socket_) sends_before_ += socket_->sends();
    socket_.reset();
  }

  // How many sends to the kernel there were so far.
  [[nodiscard]] std::uint32_t sends() const {
    return sends_before_ + (socket_ ? socket_->sends() : 0);
  }

  // Those of another thread that works for this one.
  void count_sends(std::uint32_t more) { sends_before_ += more; }

  // Made when the first is needed, in the network namespace of the thread. Throws Failure.
  Senders& senders() {
    if (!senders_) senders_ = std::make_unique<Senders>();
    return *senders_;
  }

  // Throws Failure "aborted" when the caller has given up the operation that runs, or when its
  // thread is to end and nobody would hear of a result. The last thing that an operation does which
  // can be undone.
  void stop_if_cancelled() const;
  // The same for one of those that run together.
  void stop_if_cancelled(const Cancellation& of_job) const;

  // That of the thread. Throws Failure where /proc does not show it.
  const NetworkNamespace& network_namespace();
  // Its number; nothing where /proc does not show it. Throws Failure where it is not to be had just
  // now: not to know it would pass over whose a link is.
  std::optional<std::int64_t> network_namespace_id();

  Sysfs sysfs;
  WirelessParents wireless_parents;
  const Cancellation* cancellation = nullptr;  // of the operation that runs, when it runs alone
  const std::atomic<bool>* ending = nullptr;   // of its thread
  // Called from any thread, until all is destroyed that works here. May be empty.
  ReportLate report_late;

 private:
  std::optional<netlink::Socket> socket_;
  std::uint32_t sends_before_ = 0;
  std::unique_ptr<Senders> senders_;
  std::shared_ptr<const NetworkNamespace> network_namespace_;
};

struct Outcome {
  std::vector<Link> links;
  LinkList listing;  // or these, where they may be many
  std::vector<Fd> fds;
  std::optional<std::string> boot_id;
  std::optional<std::string> machine_id;
  std::optional<std::int64_t> network_namespace;
};

// One call of an operation: its request, and after it ran, its outcome or failure.
struct Job {
  std::unique_ptr<Record> request;
  Outcome outcome;
  std::optional<Failure> failure;
  Cancellation cancellation;

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;
};

// How many calls run together: those that came later wait for so many.
inline constexpr std::size_t kMostTogether = 128;

// Has one of the two.
struct Operation {
  std::string_view name;
  const Schema* request;
  // Throws Failure. All or nothing: what could not be undone stands in `left_behind`.
  Outcome (*run)(Context& context, Record& request) = nullptr;
  // Calls that were made right after each other: the same as one after the other, in fewer sends.
  // Each is all or nothing by itself, and gets its outcome or failure; throws nothing.
  void (*run_together)(Context& context, std::span<Job* const> jobs) = nullptr;
  std::size_t most_together = kMostTogether;
};

// Null for a name that is no operation.
const Operation* find_operation(std::string_view name);

}  // namespace flintap
