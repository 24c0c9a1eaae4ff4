// setLink: changes a link that is there, all of what is asked for or nothing.
#include <linux/if_link.h>

#include <algorithm>
#include <cerrno>

#include "core/devices/sysctl.h"
#include "core/operations/host_ipv6.h"
#include "core/operations/request.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

// Below it a link has no IPv6; from it on, the kernel makes its IPv6 settings anew.
constexpr std::uint32_t kLeastIpv6Mtu = 1'280;

struct SetLink : Record {
  std::unique_ptr<Reference> link;
  std::unique_ptr<Link> changes;
  std::optional<std::vector<std::string>> add_alt_names;
  std::optional<std::vector<std::string>> remove_alt_names;
  std::optional<HostIpv6> host_ipv6;
  std::optional<std::string> tag_mark;
  std::optional<bool> force;
};

constexpr std::array fields{
    required(reference_option<&SetLink::link>("link")),
    link_option<&SetLink::changes>("changes"),
    option<&SetLink::add_alt_names>("addAltNames"),
    option<&SetLink::remove_alt_names>("removeAltNames"),
    option<&SetLink::host_ipv6>("hostIPv6"),
    required(option<&SetLink::tag_mark>("tagMark")),
    required(option<&SetLink::force>("force")),
};
constexpr Schema schema{"setLink", fields, make_record<SetLink>};

// What is wanted, and what is done for it.
struct Change {
  Link settings;  // one SETLINK has them all
  std::optional<std::string> name;
  std::vector<std::string> add_alt_names;
  std::vector<std::string> remove_alt_names;
  HostIpv6 host_ipv6 = HostIpv6::open;
  bool set_host_ipv6 = false;  // not only kept
  bool down_meanwhile = false;

  [[nodiscard]] bool touches_ipv6() const { return set_host_ipv6 || down_meanwhile; }
};

bool is_identity(const std::string& alt_name) { return alt_name.starts_with(kIdentityPrefix); }

void check(const SetLink& request, const Link& before) {
  const std::string& name = *before.name;
  const bool tagged = before.alias.value_or("").starts_with(*request.tag_mark);
  if (request.changes->alias && tagged && !*request.force) {
    throw Failure(0, reason::tagged, "look up", name);
  }
  for (const auto* names : {&request.add_alt_names, &request.remove_alt_names}) {
    if (*names && std::ranges::any_of(**names, is_identity)) {
      throw Failure(EINVAL, reason::invalid_name, "check the alt names", name);
    }
  }
}

// A link that was made here keeps its IPv6 as it is, unless something else is asked for.
Change plan(SetLink& request, const Link& before) {
  Change change;
  const Link& asked = *request.changes;
  change.settings.alias = asked.alias;
  change.settings.mac = asked.mac;
  change.settings.mtu = asked.mtu;
  change.settings.tx_queue_length = asked.tx_queue_length;
  change.settings.up = asked.up;
  change.settings.promiscuous = asked.promiscuous;
  if (asked.name != before.name) change.name = asked.name;
  change.add_alt_names = request.add_alt_names.value_or(std::vector<std::string>{});
  change.remove_alt_names = request.remove_alt_names.value_or(std::vector<std::string>{});
  change.set_host_ipv6 = request.host_ipv6.has_value();
  const HostIpv6 kept = before.identity().empty() ? HostIpv6::open : host_ipv6_of(before);
  change.host_ipv6 = request.host_ipv6.value_or(kept);
  const bool made_anew =
      asked.mtu && *asked.mtu >= kLeastIpv6Mtu && before.mtu.value_or(0) < kLeastIpv6Mtu;
  change.down_meanwhile = made_anew && change.host_ipv6 != HostIpv6::open;
  return change;
}

bool is_up_at_the_end(const Change& change, const Link& before) {
  return change.settings.up.value_or(before.up.value_or(false));
}

Link only_up(bool up) {
  Link state;
  state.up = up;
  return state;
}

// A rename goes by index: with an identity *and* a name, the kernel takes the name for the address.
std::vector<netlink::Request> first_batch(const Change& change, const Link& before) {
  const Reference link = acting_reference(before);
  std::vector<netlink::Request> batch;
  if (change.down_meanwhile) batch.push_back(requests::change(link, "set down", only_up(false)));
  Link settings;
  settings.alias = change.settings.alias;
  settings.mac = change.settings.mac;
  settings.mtu = change.settings.mtu;
  settings.tx_queue_length = change.settings.tx_queue_length;
  settings.promiscuous = change.settings.promiscuous;
  if (!change.down_meanwhile) settings.up = change.settings.up;
  batch.push_back(requests::change(link, "change", settings));
  for (const std::string& name : change.remove_alt_names) {
    batch.push_back(requests::remove_alt_name(link, "remove an alt name", name));
  }
  for (const std::string& name : change.add_alt_names) {
    batch.push_back(requests::add_alt_name(link, "add an alt name", name));
  }
  if (change.name) {
    Link renamed;
    renamed.name = change.name;
    batch.push_back(requests::change(Reference::by_index(*before.index), "rename", renamed));
  }
  return batch;
}

// What the kernel has no text for.
Failure explained(Context& context, Failure failure, const Change& change, const Link& before) {
  if (failure.error == EEXIST && failure.step == "rename") {
    const netlink::Request question = requests::get(Reference::by_name(*change.name), "look up");
    const auto answers = ask(context, {&question, 1});
    const bool as_alt_name = answers[0].link && answers[0].link->name != change.name;
    failure.reason = as_alt_name ? reason::alt_name_taken : reason::name_taken;
  }
  const bool plain = failure.kernel_text.empty() && failure.step == "change";
  if (plain && failure.error == EINVAL && change.settings.mtu) {
    failure.reason = before.kind == "macvtap" ? reason::mtu_above_parent : reason::mtu_out_of_range;
  }
  if (failure.step == "change" && (failure.error == EADDRINUSE || failure.error == EBUSY)) {
    failure.reason = reason::duplicate_mac;
  }
  return failure;
}

// Live: closing takes every address with it, so that a mode set meanwhile holds from the start.
int set_host_ipv6(Context& context, const Reference& link, const std::string& name,
                  HostIpv6 wanted) {
  if (wanted == HostIpv6::closed) return write_ipv6_setting(name, "disable_ipv6", true);
  if (wanted == HostIpv6::reduced) write_ipv6_setting(name, "disable_ipv6", true);
  const std::uint8_t mode =
      wanted == HostIpv6::reduced ? IN6_ADDR_GEN_MODE_NONE : IN6_ADDR_GEN_MODE_EUI64;
  const netlink::Request request =
      requests::set_ipv6_addresses(link, "set the host's IPv6 addresses", mode);
  transact(context, {&request, 1}, name);
  return write_ipv6_setting(name, "disable_ipv6", false);
}

int write_ipv6(Context& context, const Change& change, const Reference& link,
               const std::string& name) {
  if (change.set_host_ipv6) return set_host_ipv6(context, link, name, change.host_ipv6);
  if (change.host_ipv6 == HostIpv6::reduced) {
    const netlink::Request mode = requests::stop_ipv6_addresses(link, "reduce the host's IPv6");
    transact(context, {&mode, 1}, name);
  }
  return write_host_ipv6(name, change.host_ipv6);
}

void require_ipv6(const Change& change, const Link& after, int written) {
  require_host_ipv6(change.host_ipv6, after, written, *after.name);
  const bool opened = change.set_host_ipv6 && change.host_ipv6 == HostIpv6::open;
  if (!opened || !after.ipv6 || host_ipv6_of(after) == HostIpv6::open) return;
  if (*after.mtu < kLeastIpv6Mtu) return;  // it has none to open
  throw Failure(written, written == 0 ? reason::setting_ignored : reason::proc_sys_read_only,
                "open the host's IPv6", *after.name);
}

std::optional<Mismatch> difference(const Change& change, const Link& after) {
  Link wanted;
  wanted.name = change.name;
  wanted.mac = change.settings.mac;
  wanted.mtu = change.settings.mtu;
  wanted.tx_queue_length = change.settings.tx_queue_length;
  wanted.up = change.settings.up;
  wanted.promiscuous = change.settings.promiscuous;
  if (auto mismatch = compare(wanted, after, kLinkSchema)) return mismatch;
  // The kernel has no empty alias: it is none.
  if (change.settings.alias && after.alias.value_or("") != *change.settings.alias) {
    return Mismatch{"alias", *change.settings.alias, after.alias.value_or("")};
  }
  for (const std::string& name : change.add_alt_names) {
    if (!after.has_alt_name(name)) return Mismatch{"altNames", name, "nothing"};
  }
  for (const std::string& name : change.remove_alt_names) {
    if (after.has_alt_name(name)) return Mismatch{"altNames", "nothing", name};
  }
  return std::nullopt;
}

// Everything that a change touches, as it was.
Change backwards(const Change& change, const Link& before, const Link& now) {
  Change back;
  back.settings.mac = before.mac;
  back.settings.mtu = before.mtu;
  back.settings.tx_queue_length = before.tx_queue_length;
  back.settings.up = before.up;
  back.settings.promiscuous = before.promiscuous;
  if (change.settings.alias) back.settings.alias = before.alias.value_or("");
  if (change.name && now.name != before.name) back.name = before.name;
  for (const std::string& name : change.add_alt_names) {
    if (now.has_alt_name(name) && !before.has_alt_name(name)) back.remove_alt_names.push_back(name);
  }
  for (const std::string& name : change.remove_alt_names) {
    if (before.has_alt_name(name) && !now.has_alt_name(name)) back.add_alt_names.push_back(name);
  }
  back.host_ipv6 = host_ipv6_of(before);
  const bool lost = before.ipv6 && now.ipv6 && host_ipv6_of(now) != back.host_ipv6;
  back.set_host_ipv6 = lost && before.mtu.value_or(0) >= kLeastIpv6Mtu;
  return back;
}

std::string label(const Link& before) { return "link " + *before.name; }

Left restore(Context& context, const Change& change, const Link& before) try {
  const Reference link = acting_reference(before);
  const Link now = look_up(context, link);
  Change back = backwards(change, before, now);
  // Closed before it is up: the MTU may have taken its settings away.
  back.down_meanwhile = before.up.value_or(false) && now.mtu.value_or(0) < kLeastIpv6Mtu;
  ask(context, first_batch(back, before));
  const std::string& name = *before.name;
  if (back.touches_ipv6()) write_ipv6(context, back, link, name);
  if (before.ipv6 && before.ipv6->address_mode) {
    // Also of a link whose IPv6 is closed, for when somebody opens it.
    const netlink::Request mode =
        requests::set_ipv6_addresses(link, "undo", *before.ipv6->address_mode);
    ask(context, {&mode, 1});
  }
  if (before.up.value_or(false)) {
    const netlink::Request up = requests::change(link, "undo", only_up(true));
    ask(context, {&up, 1});
  }
  const Link after = look_up(context, link);
  if (const auto left = difference(back, after)) {
    return label(before) + ": " + left->field + " is " + left->actual + ", not " + left->expected;
  }
  return std::nullopt;
} catch (const Failure& failure) {
  if (failure.error == ENODEV) return std::nullopt;  // gone
  throw;
}

Reference renamed(const Link& before, const std::string& name) {
  Reference link = acting_reference(before);
  link.name = name;
  return link;
}

// The second send: after the settings that rtnetlink can't make.
Link finish(Context& context, const Change& change, const Link& before) {
  const Reference link = acting_reference(before);
  const std::string& name = change.name ? *change.name : *before.name;
  const int written = change.touches_ipv6() ? write_ipv6(context, change, link, name) : 0;
  std::vector<netlink::Request> batch;
  if (change.down_meanwhile && is_up_at_the_end(change, before)) {
    batch.push_back(requests::change(link, "set up", only_up(true)));
  }
  batch.push_back(requests::get(link, "read back"));
  auto answers = transact(context, batch, name);
  Link after = std::move(found(answers.back(), renamed(before, name), reason::no_such_link));
  if (auto mismatch = difference(change, after)) throw ignored(*mismatch, name);
  require_ipv6(change, after, written);
  return after;
}

Outcome run(Context& context, Record& record) {
  auto& request = static_cast<SetLink&>(record);
  const Link before = look_up(context, *request.link);
  check(request, before);
  const Change change = plan(request, before);
  const auto undo = [&] { return restore(context, change, before); };
  const auto batch = first_batch(change, before);
  const auto answers = ask_undoing(context, batch, undo, label(before));
  return undoing(
      [&] {
        try {
          require(answers, batch, *before.name);
        } catch (const Failure& failure) {
          throw explained(context, failure, change, before);
        }
        Outcome outcome;
        outcome.links.push_back(finish(context, change, before));
        context.stop_if_cancelled();
        return outcome;
      },
      undo, label(before));
}

}  // namespace

namespace operations {
extern const Operation set_link{"setLink", &schema, run};
}

}  // namespace flintap
