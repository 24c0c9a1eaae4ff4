// Changing a link that is there: in which order, and what is asked of the kernel for it. Undoes
// nothing; setLink does, by the same way back.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/operations/host_ipv6.h"
#include "core/operations/transact.h"

namespace flintap {

struct LinkChanges {
  Link fields;  // name, alias, mac, mtu, tx_queue_length, up, promiscuous
  std::vector<std::string> add_alt_names;
  std::vector<std::string> remove_alt_names;
  std::optional<HostIpv6> host_ipv6;
  // Instead of the one word, for putting back what was.
  std::optional<Ipv6Settings> ipv6;

  [[nodiscard]] bool empty() const;
  // Every field that is set, by the name that JavaScript has for it: "mtu, up".
  [[nodiscard]] std::string names() const;
};

// Whether the kernel makes the link's IPv6 settings anew.
bool revives_ipv6(const Link& now, const LinkChanges& changes);

// One run of changes.
//
// What can be refused goes first, each change as a request of its own, so that a refusal is known
// for what it is, and all in one send. The settings of IPv6 come next. What takes something away
// for good (a lower MTU: IPv6 with its addresses, and the MTU of the links above) and "up" come
// last, when everything else is known to be so.
class Changing {
 public:
  // `persevere`: what is refused keeps nothing else from being done, as in an undo.
  Changing(Context& context, const Link& now, const LinkChanges& changes, bool persevere);

  // Gives the link as it is then. Throws Failure.
  Link run();
  // Whether anything may have been changed.
  [[nodiscard]] bool changed() const { return changed_; }

 private:
  // What of the batch a refusal is about, for its words.
  void add(netlink::Request request, std::string subject = {});
  void add_names();
  void add_settings();
  void add_last();
  std::vector<Answer> send();
  [[nodiscard]] bool was_renamed(std::span<const Answer> answers) const;
  void require_granted(std::span<const Answer> answers);
  void require_not_renamed_another(std::span<const Answer> answers);
  Failure explained(const Answer& answer, std::size_t place);
  void settle_ipv6(const Link& between);

  Context& context_;
  const Link& now_;
  const LinkChanges& changes_;
  bool persevere_;
  Reference link_;
  std::string label_;  // in errors: the name that it had
  bool sets_ipv6_;
  bool pauses_;  // is down for a moment
  bool changed_ = false;
  std::vector<netlink::Request> batch_;
  std::vector<std::string> subjects_;      // of the requests in the batch
  std::optional<std::size_t> look_again_;  // its place in the batch: just before the renaming
};

}  // namespace flintap
