// A link in the making: what was asked for, how it is marked, looked at, explained and undone.
//
// Every follow-up of a create goes by the index that was chosen beforehand, never by name: after a
// create that failed because a stranger has the name, follow-ups by name would change the stranger.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/operations/host_ipv6.h"
#include "core/operations/transact.h"
#include "core/operations/undo.h"

namespace flintap {

struct Making {
  Link wanted;                // what was asked for, index included
  bool index_chosen = false;  // by the caller
  HostIpv6 host_ipv6 = HostIpv6::open;
  bool refuse_router_advertisements = false;
  std::string identity;

  [[nodiscard]] Reference reference() const;
  [[nodiscard]] std::string_view name() const;
  // Those asked for; the identity is none of them.
  [[nodiscard]] std::span<const std::string> alt_names() const;
  // What an error calls it that names what was left behind.
  [[nodiscard]] std::string label() const;
};

// Takes over what was asked for; draws the identity and, unless it was given, an index.
// Throws Failure: "invalid-name", or for a link of another kind, whose details would not fit.
Making begin_making(Link wanted, std::string_view kind);

// Draws another index.
void redraw_index(Making& making);

// For a failure with EEXIST: which name or index it is that somebody else has.
void explain_taken(Context& context, std::span<const Making> makings, Failure& failure);

// The refusal of a create, explained; `parent` is null where there is none.
Failure refused_create(Context& context, std::span<const Making> makings, const Link* parent,
                       Failure failure);

// Throws the refusal of the first of the requests by which links are made, explained.
void require_made(Context& context, std::span<const Answer> answers,
                  std::span<const netlink::Request> requests, std::span<const Making> makings);

// The requests that mark a link and give it what a create ignores.
void add_marks(std::vector<netlink::Request>& batch, const Making& making);

// Before the link goes up. Gives an errno, or 0; only reading back tells whether it matters.
int write_ipv6_settings(const Making& making);

// Throws Failure where the link that was made is not as it was asked for; `ipv6_error` is what
// write_ipv6_settings gave.
void verify(const Making& making, const Link& actual, int ipv6_error);

// Removes the link, if it is ours. `acknowledged`: the kernel said that it made it. Without that, a
// link at an index that the caller chose may be that of somebody who chose the same; a MAC of its
// own tells.
Left undo_making(Context& context, const Making& making, bool acknowledged);

}  // namespace flintap
