#include "core/operations/link_changes.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/operations/explanation.h"
#include "core/operations/taken.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

constexpr std::string_view kRename = "rename to";
constexpr std::string_view kAddAltName = "add the alt name";
constexpr std::string_view kRemoveAltName = "remove the alt name";
constexpr std::string_view kSetMac = "set the MAC";
constexpr std::string_view kSetMtu = "set the MTU";

// A link with one field of another.
template <auto Member>
Link only(const Link& fields) {
  Link change;
  change.*Member = fields.*Member;
  return change;
}

Link up(bool wanted) {
  Link change;
  change.up = wanted;
  return change;
}

bool lowers_mtu(const Link& now, const Link& fields) { return fields.mtu && *fields.mtu < now.mtu; }

// Every setting that closes, whichever way it was asked for.
bool closes(const LinkChanges& changes) {
  return changes.ipv6 ? changes.ipv6->closes()
                      : changes.host_ipv6.value_or(HostIpv6::open) != HostIpv6::open;
}

bool is_macvlan(const Link& link) { return link.kind == "macvtap" || link.kind == "macvlan"; }

}  // namespace

bool LinkChanges::empty() const { return names().empty(); }

std::string LinkChanges::names() const {
  std::string list;
  const auto add = [&list](std::string_view name) {
    if (!list.empty()) list += ", ";
    list += name;
  };
  for (const Field& field : kLinkSchema.fields) {
    if (field.access != Access::settable) continue;
    if (!std::holds_alternative<std::monostate>(field.get(fields))) add(field.name);
  }
  if (!add_alt_names.empty() || !remove_alt_names.empty()) add("altNames");
  if (host_ipv6 || ipv6) add("hostIPv6");
  return list;
}

bool revives_ipv6(const Link& now, const LinkChanges& changes) {
  return changes.fields.mtu && *changes.fields.mtu >= kLeastIpv6Mtu && now.mtu < kLeastIpv6Mtu;
}

Changing::Changing(Context& context, const Link& now, const LinkChanges& changes, bool persevere)
    : context_(context),
      now_(now),
      changes_(changes),
      persevere_(persevere),
      link_(acting_reference(now)),
      label_(link_.label()),
      sets_ipv6_(changes.host_ipv6 || changes.ipv6),
      // With an MTU of 1,280 the kernel opens IPv6, and a router advertisement could come before it
      // is closed again. No setting says beforehand how this link's is to be.
      pauses_(now.up.value_or(false) && revives_ipv6(now, changes) && closes(changes)) {}

Link Changing::run() {
  const bool goes_down = pauses_ || changes_.fields.up == false;
  if (goes_down) add(requests::change(link_, "set down", up(false)));
  add_names();
  add_settings();
  if (sets_ipv6_) {
    add(requests::get(link_, "look up"));
    auto answers = send();
    settle_ipv6(found(answers.back(), link_, reason::no_such_link));
  } else if (!batch_.empty() && (changes_.fields.up == true || lowers_mtu(now_, changes_.fields))) {
    send();
  }
  add_last();
  add(requests::get(link_, "read back"));
  auto answers = send();
  return std::move(found(answers.back(), link_, reason::no_such_link));
}

void Changing::add(netlink::Request request, std::string subject) {
  batch_.push_back(std::move(request));
  subjects_.push_back(std::move(subject));
}

// In this order a name can become an alt name, and an alt name the name. Names are looked up under
// no lock that would last until the renaming, so whose index it is, is looked at right before.
void Changing::add_names() {
  for (const std::string& name : changes_.remove_alt_names) {
    add(requests::remove_alt_name(link_, kRemoveAltName, name), name);
  }
  if (changes_.fields.name) {
    const Reference index = Reference::by_index(now_.index.value_or(0));
    look_again_ = batch_.size();
    add(requests::get(index, "look up"));
    add(requests::change(index, kRename, only<&Link::name>(changes_.fields)),
        *changes_.fields.name);
  }
  for (const std::string& name : changes_.add_alt_names) {
    add(requests::add_alt_names(link_, kAddAltName, {&name, 1}), name);
  }
}

void Changing::add_settings() {
  const Link& fields = changes_.fields;
  const auto add_if = [&](bool wanted, std::string_view step, const Link& change) {
    if (wanted) add(requests::change(link_, step, change));
  };
  add_if(fields.mac.has_value(), kSetMac, only<&Link::mac>(fields));
  add_if(fields.mtu && !lowers_mtu(now_, fields), kSetMtu, only<&Link::mtu>(fields));
  add_if(fields.tx_queue_length.has_value(), "set the transmit queue's length",
         only<&Link::tx_queue_length>(fields));
  add_if(fields.alias.has_value(), "set the alias", only<&Link::alias>(fields));
  add_if(fields.promiscuous.has_value(), "set the promiscuous mode",
         only<&Link::promiscuous>(fields));
}

void Changing::add_last() {
  const Link& fields = changes_.fields;
  if (lowers_mtu(now_, fields)) add(requests::change(link_, kSetMtu, only<&Link::mtu>(fields)));
  if (fields.up.value_or(pauses_)) add(requests::change(link_, "set up", up(true)));
}

std::vector<Answer> Changing::send() {
  const auto changes = [](const netlink::Request& request) { return request.type != RTM_GETLINK; };
  const bool touches = std::ranges::any_of(batch_, changes);
  std::vector<Answer> answers;
  try {
    answers = ask(context_, batch_);
    changed_ = changed_ || touches;
  } catch (const Failure& failure) {
    changed_ = changed_ || (touches && failure.reason == reason::outcome_unknown);
    throw;
  }
  require_not_renamed_another(answers);
  require_granted(answers);
  if (was_renamed(answers)) link_.name = changes_.fields.name;
  batch_.clear();
  subjects_.clear();
  look_again_.reset();
  return answers;
}

bool Changing::was_renamed(std::span<const Answer> answers) const {
  return look_again_ && answers[*look_again_ + 1].ack.error == 0;
}

void Changing::require_granted(std::span<const Answer> answers) {
  if (persevere_) return;
  for (std::size_t place = 0; place < answers.size(); ++place) {
    const netlink::Ack& ack = answers[place].ack;
    if (ack.error != 0) throw explained(answers[place], place);
  }
}

// Between the look-up and the renaming the link went, and another one has its index.
void Changing::require_not_renamed_another(std::span<const Answer> answers) {
  if (!look_again_) return;
  const std::optional<Link>& there = answers[*look_again_].link;
  const std::string_view identity = now_.identity();
  if (!there ||
      (there->identity() == identity && (!identity.empty() || there->name == now_.name))) {
    return;
  }
  Failure failure(ENODEV, reason::no_such_link, "look up", label_);
  if (was_renamed(answers)) {
    const netlink::Request back =
        requests::change(Reference::by_index(*there->index), "undo", only<&Link::name>(*there));
    const auto rename_back = [&]() -> Left {
      if (ask(context_, {&back, 1})[0].ack.error == 0) return std::nullopt;
      return "link " + *changes_.fields.name + ": its name, which was " + *there->name;
    };
    take_back(failure, rename_back, "link " + *changes_.fields.name + ": its name");
  }
  throw failure;
}

Failure Changing::explained(const Answer& answer, std::size_t place) {
  const netlink::Request& request = batch_[place];
  Failure failure = refusal(answer.ack, request, label_);
  const std::string& subject = subjects_[place];
  if (!subject.empty()) failure.step += " " + subject;
  if (failure.error == EEXIST && !subject.empty()) {
    Link wanted;
    wanted.name = subject;
    if (const auto taken = what_is_taken(context_, wanted)) taken->explain(failure);
  }
  if (!is_macvlan(now_)) return failure;
  if (request.step == kSetMac && failure.error == EBUSY) failure.reason = reason::duplicate_mac;
  if (request.step == kSetMtu && failure.error == EINVAL && failure.kernel_text.empty()) {
    failure.reason = reason::mtu_above_parent;
  }
  const auto& mac = changes_.fields.mac ? changes_.fields.mac : now_.mac;
  if (mac && now_.parent && !now_.parent_namespace) {
    name_mac_holder(context_, {.parent = *now_.parent, .own = *now_.index, .mac = *mac}, failure);
  }
  return failure;
}

void Changing::settle_ipv6(const Link& between) {
  const Ipv6Settings wanted =
      changes_.ipv6 ? *changes_.ipv6 : ipv6_settings_for(*changes_.host_ipv6, between);
  if (has_ipv6(between)) {
    set_host_ipv6(context_, between, wanted, changed_);
  } else if (wanted.disabled == false) {
    throw Failure(0, reason::no_ipv6, "open the host's IPv6", label_);
  }
}

}  // namespace flintap
