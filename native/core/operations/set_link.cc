// setLink: changes any link, all of what is asked for or nothing of it.
#include <algorithm>
#include <cerrno>

#include "core/operations/link_changes.h"
#include "core/operations/request.h"
#include "core/operations/undo.h"

namespace flintap {
namespace {

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

// ---- what is asked for ----

// What was closed and loses its settings with its IPv6 is closed again when that comes back, on
// links that were made here. A bridge is made deaf as well, for when it is opened.
void hold_ipv6(LinkChanges& changes, const Link& before) {
  if (changes.host_ipv6 || before.identity().empty() || !revives_ipv6(before, changes)) return;
  changes.ipv6 = {.disabled = true, .address_mode = {}, .accept_ra = {}};
  if (before.kind == "bridge") changes.ipv6->accept_ra = 0;
}

// Of the fields, those that setLink changes; nobody asks for another one by it.
LinkChanges changes_of(const SetLink& request, const Link& before) {
  const Link& asked = *request.changes;
  LinkChanges changes;
  if (asked.name != before.name) changes.fields.name = asked.name;
  changes.fields.alias = asked.alias;
  changes.fields.mac = asked.mac;
  changes.fields.mtu = asked.mtu;
  changes.fields.tx_queue_length = asked.tx_queue_length;
  changes.fields.up = asked.up;
  changes.fields.promiscuous = asked.promiscuous;
  changes.add_alt_names = request.add_alt_names.value_or(std::vector<std::string>{});
  changes.remove_alt_names = request.remove_alt_names.value_or(std::vector<std::string>{});
  changes.host_ipv6 = request.host_ipv6;
  hold_ipv6(changes, before);
  return changes;
}

// ---- what is refused before anything is sent ----

void require_allowed(const SetLink& request, const Link& before) {
  const auto is_tag = [&](const Link& link) {
    return link.alias && link.alias->starts_with(*request.tag_mark);
  };
  if (request.changes->alias && is_tag(before) && !*request.force) {
    throw Failure(0, reason::tagged, "set the alias", *before.name);
  }
  for (const auto* names : {&request.add_alt_names, &request.remove_alt_names}) {
    if (*names && std::ranges::any_of(**names, is_identity)) {
      throw Failure(EINVAL, reason::invalid_name, "check the alt names", *before.name);
    }
  }
}

void require_possible(const LinkChanges& changes, const Link& before) {
  const bool revives = revives_ipv6(before, changes);
  const bool keeps = changes.fields.mtu.value_or(kLeastIpv6Mtu) >= kLeastIpv6Mtu;
  const bool opens = changes.host_ipv6.value_or(HostIpv6::closed) != HostIpv6::closed;
  if (opens && (!keeps || !(revives || has_ipv6(before)))) {
    throw Failure(0, reason::no_ipv6, "open the host's IPv6", *before.name);
  }
  const bool closes = changes.ipv6 || changes.host_ipv6 == HostIpv6::closed;
  if (revives && closes) require_closable_ipv6(*before.name);
}

// ---- what must be so at the end ----

void verify(const LinkChanges& changes, const Link& after, const std::string& device) {
  if (auto mismatch = compare(changes.fields, after, kLinkSchema)) throw ignored(*mismatch, device);
  const auto require_alt_name = [&](const std::string& name, bool there) {
    if (after.has_alt_name(name) == there) return;
    throw ignored({.field = "altNames",
                   .expected = there ? name : "without " + name,
                   .actual = there ? "without it" : "with it"},
                  device);
  };
  for (const std::string& name : changes.add_alt_names) require_alt_name(name, true);
  for (const std::string& name : changes.remove_alt_names) require_alt_name(name, false);
  if (changes.host_ipv6 && host_ipv6_of(after) != *changes.host_ipv6) {
    throw ignored({.field = "hostIPv6", .expected = "as asked", .actual = "another"}, device);
  }
  if (changes.ipv6 && host_ipv6_of(after) != HostIpv6::closed) {
    throw ignored({.field = "hostIPv6", .expected = "closed", .actual = "open"}, device);
  }
}

// ---- undoing ----

// What is now as it was asked for, and was not so before, is to be as before. A third value is
// somebody else's.
template <auto Member>
void put_back(Link& back, const Link& asked, const Link& before, const Link& now) {
  const auto& wanted = asked.*Member;
  using Value = std::remove_cvref_t<decltype(*wanted)>;
  if (!wanted || now.*Member == before.*Member) return;
  // An alias that was cleared is not reported.
  if ((now.*Member).value_or(Value{}) == *wanted) back.*Member = (before.*Member).value_or(Value{});
}

LinkChanges way_back(const LinkChanges& asked, const Link& before, const Link& now) {
  LinkChanges back;
  put_back<&Link::name>(back.fields, asked.fields, before, now);
  put_back<&Link::alias>(back.fields, asked.fields, before, now);
  put_back<&Link::mac>(back.fields, asked.fields, before, now);
  put_back<&Link::mtu>(back.fields, asked.fields, before, now);
  put_back<&Link::tx_queue_length>(back.fields, asked.fields, before, now);
  put_back<&Link::promiscuous>(back.fields, asked.fields, before, now);
  // A link may have been taken down only for a moment.
  if ((asked.fields.up || asked.fields.mtu) && now.up != before.up) back.fields.up = before.up;
  const auto differs = [&](const std::string& name) {
    return now.has_alt_name(name) != before.has_alt_name(name);
  };
  std::ranges::copy_if(asked.add_alt_names, std::back_inserter(back.remove_alt_names), differs);
  std::ranges::copy_if(asked.remove_alt_names, std::back_inserter(back.add_alt_names), differs);
  const bool concerns_ipv6 = asked.host_ipv6 || asked.ipv6 || asked.fields.mtu;
  if (!concerns_ipv6 || !has_ipv6(before)) return back;
  const Ipv6Settings settings = ipv6_settings_of(before);
  if (!has_ipv6_settings(now, settings)) back.ipv6 = settings;
  return back;
}

// The link as it is now, under whichever of its names; nothing when it is gone.
std::optional<Link> look_again(Context& context, const LinkChanges& asked, const Link& before) {
  Reference reference = acting_reference(before);
  const bool by_index = !reference.identity;
  if (by_index) reference.name.reset();
  const netlink::Request question = requests::get(reference, "look up");
  auto answers = ask(context, {&question, 1});
  std::optional<Link>& now = answers[0].link;
  if (now && by_index && now->name != before.name && now->name != asked.fields.name) return {};
  return std::move(now);
}

// Run again where it fails; the last time it says what it could not put back.
class PutBack {
 public:
  PutBack(Context& context, const LinkChanges& asked, const Link& before, const Changing& changing)
      : context_(context), asked_(asked), before_(before), changing_(changing) {}

  Left operator()() {
    const bool last = ++tries_ == kUndoTries;
    if (!changing_.changed()) return std::nullopt;
    const auto now = look_again(context_, asked_, before_);
    if (!now) return std::nullopt;
    const LinkChanges back = way_back(asked_, before_, *now);
    if (back.empty()) return std::nullopt;
    try {
      Changing(context_, *now, back, true).run();
    } catch (const Failure&) {
      if (!last) throw;
    }
    const auto then = look_again(context_, asked_, before_);
    if (!then) return std::nullopt;
    const LinkChanges left = way_back(asked_, before_, *then);
    if (left.empty()) return std::nullopt;
    return "link " + *then->name + ": " + left.names();
  }

 private:
  Context& context_;
  const LinkChanges& asked_;
  const Link& before_;
  const Changing& changing_;
  int tries_ = 0;
};

Outcome run(Context& context, Record& record) {
  const auto& request = static_cast<SetLink&>(record);
  Link before = look_up(context, *request.link);
  require_allowed(request, before);
  const LinkChanges changes = changes_of(request, before);
  require_possible(changes, before);
  Outcome outcome;
  if (changes.empty()) {
    outcome.links.push_back(std::move(before));
    return outcome;
  }
  Changing changing(context, before, changes, false);
  return undoing(
      [&] {
        Link after = changing.run();
        verify(changes, after, *before.name);
        context.stop_if_cancelled();
        outcome.links.push_back(std::move(after));
        return std::move(outcome);
      },
      PutBack(context, changes, before, changing), "link " + *before.name + ": " + changes.names());
}

}  // namespace

namespace operations {
extern const Operation set_link{"setLink", &schema, run};
}

}  // namespace flintap
