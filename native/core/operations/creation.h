// Making links, all or nothing: what createMacvtap, createTap, createBridge and createVeth share.
//
// A device is made in two sends. The first makes it and marks it as ours, all in one system call,
// so that a killed process leaves nothing unmarked. Every follow-up goes by the index that was
// chosen beforehand, never by name: after a create that failed because a stranger has the name,
// follow-ups by name would change the stranger. Then the settings that rtnetlink can't make are
// written, and the second send sets the device up and reads it back.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/operations/transact.h"

namespace flintap {

// How often an index of the library's own choice is drawn before it gives up.
inline constexpr int kDraws = 16;

// One link in the making; a veth has two.
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
};

// Takes over what was asked for; draws the identity and, unless it was given, an index.
// Throws Failure: "invalid-name", or for a link of another kind, whose details would not fit.
Making begin_making(Link wanted, std::string_view kind);

// Draws another index.
void redraw_index(Making& making);

// Looks `other` up (a parent or a bridge; null: nothing) and makes sure in the same send that the
// chosen indexes are free; draws again where the library's own choice is not.
std::optional<Link> look_before_making(Context& context, const Reference* other,
                                       std::string_view absent, std::span<Making> makings);

// For a failure with EEXIST: which name or index it is that somebody else has.
void explain_taken(Context& context, std::span<const Making> makings, Failure& failure);

// Throws the refusal of the first of the requests by which links are made, explained.
void require_made(Context& context, std::span<const Answer> answers,
                  std::span<const netlink::Request> requests, std::span<const Making> makings);

// The requests that mark a link and give it what a create ignores.
void add_marks(std::vector<netlink::Request>& requests, const Making& making);

// Writes the IPv6 settings, sets the links up, reads them back and compares them with what was
// asked for. Throws Failure; undoes nothing.
std::vector<Link> finish_making(Context& context, std::span<Making> makings);

// Makes links by one RTM_NEWLINK for the first of them. Leaves nothing on failure.
std::vector<Link> make_links(Context& context, std::span<Making> makings, const Link* parent);

}  // namespace flintap
