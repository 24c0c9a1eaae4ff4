#include "core/link/kinds/macvtap.h"

#include <linux/if_link.h>

#include <array>

#include "core/link/kind.h"
#include "core/schema/field.h"

namespace flintap {

namespace {

// IFLA_MACVLAN_MACADDR_DATA: a list of IFLA_MACVLAN_MACADDR, set as a whole by MACADDR_MODE.
struct SourceMacs {
  using Macs = std::vector<std::string>;
  static constexpr std::string_view expected = "a list of hardware addresses";
  static std::optional<Macs> decode(const netlink::Attribute& attribute) {
    Macs macs;
    netlink::AttributeReader reader(attribute.payload);
    while (auto entry = reader.next()) {
      if (auto mac = Shape<HardwareAddress>::decode(*entry)) macs.push_back(mac->format());
    }
    return macs;
  }
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number, const Macs& macs) {
    writer.put_value(IFLA_MACVLAN_MACADDR_MODE, std::uint32_t{MACVLAN_MACADDR_SET});
    writer.nest(number, [&] {
      for (const std::string& mac : macs) {
        if (auto address = HardwareAddress::parse(mac)) {
          Shape<HardwareAddress>::encode(writer, IFLA_MACVLAN_MACADDR, *address);
        }
      }
    });
  }
  static Value to_value(const Macs& macs) { return Texts(macs); }
  static std::optional<Macs> from_value(Value&& value) {
    auto* macs = std::get_if<Macs>(&value);
    if (macs == nullptr) return std::nullopt;
    // In the form in which they read back.
    for (std::string& mac : *macs) {
      const auto address = HardwareAddress::parse(mac);
      if (!address) return std::nullopt;
      mac = address->format();
    }
    return std::move(*macs);
  }
};

constexpr std::array fields{
    field<&Macvtap::mode>("mode", IFLA_MACVLAN_MODE, Access::settable),
    field<&Macvtap::flags>("flags", IFLA_MACVLAN_FLAGS),
    field<&Macvtap::source_macs, SourceMacs>("sourceMacs", IFLA_MACVLAN_MACADDR_DATA,
                                             Access::settable),
};
constexpr Schema schema{"macvtap", fields, make_record<Macvtap>};

}  // namespace

namespace kinds {
extern const Kind macvtap{.name = "macvtap", .details = &schema, .port = nullptr};
}

}  // namespace flintap
