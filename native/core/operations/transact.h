// Sends a batch of requests and turns the kernel's answers into links or a Failure.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/failure.h"
#include "core/link/requests.h"
#include "core/operations/operation.h"

namespace flintap {

struct Answer {
  netlink::Ack ack;
  std::optional<Link> link;
  std::optional<std::int64_t> network_namespace;  // in which it was asked for
};

// One answer a request. Throws Failure only for what the transport could not do.
std::vector<Answer> ask(Context& context, std::span<const netlink::Request> requests,
                        bool statistics = false);

// The kernel's refusal of a request, explained as far as the step and the error tell.
Failure refusal(const netlink::Ack& ack, const netlink::Request& request, std::string_view device);

// Throws the refusal of the first request that was refused.
void require(std::span<const Answer> answers, std::span<const netlink::Request> requests,
             std::string_view device);

// ask and require in one.
std::vector<Answer> transact(Context& context, std::span<const netlink::Request> requests,
                             std::string_view device);

// The link of an answer to a get; `absent` is the reason when there is none.
Link& found(Answer& answer, const Reference& reference, std::string_view absent);

// The kernel took a request and left a part of it out.
Failure ignored(const Mismatch& mismatch, std::string_view device);

// Looks one link up.
Link look_up(Context& context, const Reference& reference,
             std::string_view absent = reason::no_such_link);

// Gives each link of a dump. One that is interrupted is done anew: `restart` is called before each
// try, the first as well, and forgets what was given.
void for_each_link(Context& context, const DumpFilter& filter,
                   const std::function<void(Link&&)>& take, const std::function<void()>& restart);

// Those that are wanted of the links that a dump gives.
std::vector<Link> list_links(Context& context, const DumpFilter& filter,
                             const std::function<bool(const Link&)>& wanted);

// The link, as a failure says who has something.
Holder holder_of(const Link& link);

// Throws Failure "not-a-bridge".
void require_bridge(const Link& link);

// Throws Failure "physical-link" or "not-ours" for a link that was not made here, or whose alias
// does not begin so.
void require_ours(const Link& link, const std::string& tag_prefix, std::string_view step);

// How to act on a link that was looked up: by its identity where it has one.
Reference acting_reference(const Link& link);

}  // namespace flintap
