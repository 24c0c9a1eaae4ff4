#include "core/operations/other_namespace.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "core/system/seam.h"

namespace flintap {
namespace {

// struct rtgenmsg has one byte; attributes begin after four.
struct NamespaceHeader {
  rtgenmsg family{.rtgen_family = AF_UNSPEC};
  std::array<std::byte, 3> padding{};
};

netlink::Request ask_number(const NetworkNamespace& other) {
  netlink::AttributeWriter writer(NamespaceHeader{});
  writer.put_value(NETNSA_FD, static_cast<std::uint32_t>(other.fd.get()));
  return {RTM_GETNSID, 0, "ask for the namespace's number", writer, true};
}

netlink::Request give_number(const NetworkNamespace& other) {
  netlink::AttributeWriter writer(NamespaceHeader{});
  writer.put_value(NETNSA_NSID, std::int32_t{NETNSA_NSID_NOT_ASSIGNED});
  writer.put_value(NETNSA_FD, static_cast<std::uint32_t>(other.fd.get()));
  return {RTM_NEWNSID, 0, "give the namespace a number", writer};
}

std::int32_t number_in(const netlink::Frame& frame) {
  if (frame.header.nlmsg_type != RTM_NEWNSID || frame.body.size() < sizeof(NamespaceHeader)) {
    return NETNSA_NSID_NOT_ASSIGNED;
  }
  const auto number = netlink::find(frame.body.subspan(sizeof(NamespaceHeader)), NETNSA_NSID);
  return number ? number->as<std::int32_t>().value_or(NETNSA_NSID_NOT_ASSIGNED)
                : NETNSA_NSID_NOT_ASSIGNED;
}

// What a thread of its own came to.
struct Visit {
  std::optional<Failure> failure;
  std::uint32_t sends = 0;
};

void visit(const NetworkNamespace& other, Context& there, Visit& result,
           const std::function<void(Context&)>& work) {
  const seam::Scope counted;
  pthread_setname_np(pthread_self(), "flintap");
  try {
    enter_network_namespace(other.fd.get(), {});
    work(there);
  } catch (const Failure& failure) {
    result.failure = failure;
  } catch (const std::bad_alloc&) {
    result.failure.emplace(ENOMEM, reason::kernel, "allocate memory");
  } catch (const std::exception&) {
    result.failure.emplace(0, reason::kernel, "run in the other namespace");
  }
  result.sends = there.sends();
}

}  // namespace

std::shared_ptr<const NetworkNamespace> open_namespace(std::int64_t id, std::string_view label) {
  auto found = OpenNamespaces::of_process().find(id);
  if (!found) throw Failure(0, reason::namespace_not_open, "find the namespace", label);
  return found;
}

std::int32_t number_here(Context& context, const NetworkNamespace& other) {
  std::int32_t number = NETNSA_NSID_NOT_ASSIGNED;
  const auto exchange = [&](std::span<const netlink::Request> requests) {
    const auto acks = context.socket().exchange(
        requests, [&](std::size_t, const netlink::Frame& frame) { number = number_in(frame); });
    return acks.back();
  };
  const netlink::Request question = ask_number(other);
  netlink::Ack ack = exchange({&question, 1});
  if (ack.error == 0 && number == NETNSA_NSID_NOT_ASSIGNED) {
    const std::array both{give_number(other), question};
    ack = exchange(both);
  }
  if (ack.error == 0 && number != NETNSA_NSID_NOT_ASSIGNED) return number;
  throw Failure(ack.error, ack.error == EPERM ? reason::no_permission : reason::kernel,
                question.step);
}

void run_there(Context& context, const std::shared_ptr<const NetworkNamespace>& other,
               const std::function<void(Context& there)>& work) {
  Visit result;
  Context there(other);
  there.cancellation = context.cancellation;
  there.ending = context.ending;
  try {
    // The thread inherits the signal mask: like the operation thread, it takes no signal.
    std::thread([&] { visit(*other, there, result, work); }).join();
  } catch (const std::system_error& error) {
    throw Failure(error.code().value(), reason::kernel, "start a thread");
  }
  context.count_sends(result.sends);
  if (result.failure) throw Failure(*result.failure);
}

}  // namespace flintap
