#include "core/operations/claims.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

namespace flintap {
namespace {

// What the links of a group are to have, and nobody else can then. A MAC is among it because a
// macvtap can't go up while another on its parent has the same.
class Claims {
 public:
  // Whether the creation asks for any of it, or is to be made on one of these links. A parent in
  // another namespace is none of them; taking it for one does no harm.
  [[nodiscard]] bool concern(const Creation& creation) const {
    const Reference* on = creation.on;
    if (on != nullptr && ((on->name && names_.contains(*on->name)) ||
                          (on->index && indexes_.contains(*on->index)))) {
      return true;
    }
    return std::ranges::any_of(creation.makings, [this](const Making& making) {
      const Link& wanted = making.wanted;
      const auto is_claimed = [this](const std::string& name) { return names_.contains(name); };
      return is_claimed(*wanted.name) || std::ranges::any_of(making.alt_names(), is_claimed) ||
             (making.index_chosen && indexes_.contains(*wanted.index)) ||
             (wanted.mac && macs_.contains(wanted.mac->octets));
    });
  }

  void add(const Creation& creation) {
    for (const Making& making : creation.makings) {
      names_.insert(*making.wanted.name);
      names_.insert(making.alt_names().begin(), making.alt_names().end());
      if (making.index_chosen) indexes_.insert(*making.wanted.index);
      if (making.wanted.mac) macs_.insert(making.wanted.mac->octets);
    }
  }

 private:
  std::set<std::string> names_;
  std::set<std::string> macs_;
  std::set<std::uint32_t> indexes_;
};

}  // namespace

bool has_chosen_index(const Creation& creation) {
  return std::ranges::any_of(creation.makings, &Making::index_chosen);
}

// Those whose index was chosen are made otherwise, so they are with their like only.
std::size_t independent(std::span<const std::unique_ptr<Creation>> creations) {
  if (creations.front()->alone) return 1;
  const bool chosen = has_chosen_index(*creations.front());
  Claims claims;
  std::size_t count = 0;
  for (const auto& creation : creations) {
    const bool fits = !creation->alone && has_chosen_index(*creation) == chosen;
    if (count > 0 && (!fits || claims.concern(*creation))) break;
    claims.add(*creation);
    ++count;
  }
  return count;
}

}  // namespace flintap
