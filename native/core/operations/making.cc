#include "core/operations/making.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "core/devices/sysctl.h"
#include "core/operations/parent.h"
#include "core/operations/taken.h"
#include "core/system/system.h"

namespace flintap {
namespace {

// Above anything that the kernel chooses by itself, so that /dev/tap<index> is unique across
// network namespaces.
constexpr std::uint32_t kLowestIndex = 1'000'001;
constexpr std::uint32_t kIndexes = std::numeric_limits<std::int32_t>::max() - kLowestIndex;

template <std::size_t Size>
std::array<std::byte, Size> draw() {
  std::array<std::byte, Size> octets{};
  if (sys::random(octets) < 0) throw Failure::of_errno("draw a random number");
  return octets;
}

std::string draw_identity() {
  const auto octets = draw<16>();
  std::string identity(kIdentityPrefix);
  for (const std::byte octet : octets) {
    append_hexadecimal(identity, std::to_integer<unsigned char>(octet));
  }
  return identity;
}

// ---- why a create was refused ----

// An EINVAL that the parent explains. The kernel has no text for these, or one about the MTU that
// was taken over from a parent no macvtap can stand on.
std::optional<std::string_view> parents_fault(const Link& wanted, const Link& parent,
                                              bool without_text) {
  if (!carries_ethernet(parent)) return reason::parent_unusable;
  if (wanted.mtu && parent.mtu && *wanted.mtu > *parent.mtu) return reason::mtu_above_parent;
  // A macvtap in mode passthru shares its parent with no other.
  return without_text ? std::optional(reason::parent_busy) : std::nullopt;
}

bool has_mtu(const Making& making) { return making.wanted.mtu.has_value(); }

// ---- read back ----

void require_alt_names(const Making& making, const Link& actual) {
  for (const std::string& name : making.alt_names()) {
    if (actual.has_alt_name(name)) continue;
    throw ignored({.field = "altNames", .expected = name, .actual = "without it"}, making.name());
  }
}

void require_deafness(const Making& making, const Link& actual, int written) {
  if (!making.refuse_router_advertisements || !actual.ipv6) return;
  if (host_ipv6_of(actual) == HostIpv6::closed || actual.ipv6->accept_ra == 0) return;
  // Written or not, it is not so: said in the same words.
  require_host_ipv6(HostIpv6::closed, actual, written, making.name());
}

}  // namespace

Reference Making::reference() const { return Reference::by_index(wanted.index.value_or(0)); }

std::string_view Making::name() const {
  return wanted.name ? std::string_view(*wanted.name) : std::string_view();
}

std::span<const std::string> Making::alt_names() const {
  return wanted.alt_names ? std::span<const std::string>(*wanted.alt_names)
                          : std::span<const std::string>();
}

std::string Making::label() const {
  return "link " + std::string(name()) + " (index " + std::to_string(*wanted.index) + ")";
}

void redraw_index(Making& making) {
  const auto octets = draw<sizeof(std::uint32_t)>();
  std::uint32_t number = 0;
  std::memcpy(&number, octets.data(), sizeof number);
  making.wanted.index = kLowestIndex + number % kIndexes;
}

Making begin_making(Link wanted, std::string_view kind) {
  const std::size_t length = wanted.name ? wanted.name->size() : 0;
  // /proc/sys/net has folders of these names for something else: the kernel says a bare EINVAL.
  const bool reserved = wanted.name == "all" || wanted.name == "default";
  if (length == 0 || length > kLongestName || reserved) {
    throw Failure(EINVAL, reason::invalid_name, "check the name", wanted.name.value_or(""));
  }
  if (wanted.kind != kind) {
    throw Failure(EINVAL, reason::kind_unsupported, "check the kind", *wanted.name);
  }
  Making making;
  making.index_chosen = wanted.index.has_value();
  making.wanted = std::move(wanted);
  if (std::ranges::any_of(making.alt_names(), is_identity)) {
    throw Failure(EINVAL, reason::invalid_name, "check the alt names", making.name());
  }
  making.identity = draw_identity();
  if (!making.index_chosen) redraw_index(making);
  return making;
}

void explain_taken(Context& context, std::span<const Making> makings, Failure& failure) {
  for (const Making& making : makings) {
    const auto taken = what_is_taken(context, making.wanted, making.identity);
    if (!taken) continue;
    taken->explain(failure);
    failure.device = taken->name.empty() ? making.name() : taken->name;
    return;
  }
}

Failure refused_create(Context& context, std::span<const Making> makings, const Link* parent,
                       Failure failure) {
  if (failure.error == EEXIST) {
    explain_taken(context, makings, failure);
  } else if (failure.error == EBUSY && parent == nullptr) {
    // Both ends of a veth were given the same.
    failure.error = EEXIST;
    failure.reason = reason::index_taken;
  } else if (failure.error == EINVAL && parent == nullptr &&
             std::ranges::any_of(makings, has_mtu)) {
    failure.reason = reason::mtu_out_of_range;
  } else if (failure.error == EINVAL && parent != nullptr) {
    failure.reason = parents_fault(makings[0].wanted, *parent, failure.kernel_text.empty())
                         .value_or(failure.reason);
  }
  return failure;
}

void require_made(Context& context, std::span<const Answer> answers,
                  std::span<const netlink::Request> requests, std::span<const Making> makings) {
  try {
    require(answers, requests, makings[0].name());
  } catch (Failure& failure) {
    if (failure.error == EEXIST) explain_taken(context, makings, failure);
    throw;
  }
}

void add_marks(std::vector<netlink::Request>& batch, const Making& making) {
  const Reference reference = making.reference();
  const std::array identity{making.identity};
  batch.push_back(requests::add_alt_names(reference, "identify", identity));
  if (!making.alt_names().empty()) {
    batch.push_back(requests::add_alt_names(reference, "add the alt names", making.alt_names()));
  }
  Link tag;
  tag.alias = making.wanted.alias;
  batch.push_back(requests::change(reference, "tag", tag));
  if (making.host_ipv6 == HostIpv6::reduced) {
    batch.push_back(requests::stop_ipv6_addresses(reference, "reduce the host's IPv6"));
  }
}

int write_ipv6_settings(const Making& making) {
  const std::string name(making.name());
  if (making.refuse_router_advertisements && making.host_ipv6 != HostIpv6::closed) {
    return write_ipv6_setting(name, "accept_ra", 0);
  }
  return write_host_ipv6(name, making.host_ipv6);
}

void verify(const Making& making, const Link& actual, int ipv6_error) {
  if (auto mismatch = compare(making.wanted, actual, kLinkSchema))
    throw ignored(*mismatch, making.name());
  if (!actual.has_alt_name(making.identity)) {
    throw ignored({.field = "identity", .expected = making.identity, .actual = "nothing"},
                  making.name());
  }
  require_alt_names(making, actual);
  require_deafness(making, actual, ipv6_error);
  require_host_ipv6(making.host_ipv6, actual, ipv6_error, making.name());
}

Left undo_making(Context& context, const Making& making, bool acknowledged) {
  const auto remove = [&](const Reference& reference) {
    const netlink::Request request = requests::remove(reference, "undo");
    return ask(context, {&request, 1})[0].ack.error;
  };
  if (remove(Reference::by_identity(making.identity)) == 0) return std::nullopt;
  // It never got its identity, or it is not there at all.
  const netlink::Request question = requests::get(making.reference(), "look up");
  const auto answers = ask(context, {&question, 1});
  const std::optional<Link>& there = answers[0].link;
  const bool ours = there && there->name == making.wanted.name &&
                    there->kind == making.wanted.kind && there->identity().empty();
  if (!ours) return std::nullopt;
  const bool told_apart = making.wanted.mac && there->mac == making.wanted.mac;
  if (making.index_chosen && !acknowledged && !told_apart) return making.label();
  if (remove(making.reference()) == 0) return std::nullopt;
  return making.label();
}

}  // namespace flintap
