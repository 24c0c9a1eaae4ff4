#include "core/link/kinds/veth.h"

#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <array>

#include "core/link/kind.h"
#include "core/link/requests.h"
#include "core/schema/field.h"

namespace flintap {
namespace {

const Schema* peer_of(const Veth&) { return &kLinkSchema; }

// VETH_INFO_PEER holds a whole message about the other end. The kernel does not report it back:
// the read-back of the other end is a request of its own.
constexpr Field peer_field() {
  Field row = nested<&Veth::peer, peer_of>("peer", Access::write_only);
  row.number = VETH_INFO_PEER;
  row.encode = [](const Record& record, netlink::AttributeWriter& writer, std::uint16_t number) {
    const auto& peer = static_cast<const Veth&>(record).peer;
    if (!peer) return;
    ifinfomsg info{};
    info.ifi_index = static_cast<int>(peer->index.value_or(0));
    writer.nest(number, [&] {
      writer.put_header(info);
      write_link(*peer, writer);
    });
  };
  return row;
}

constexpr std::array fields{peer_field()};
constexpr Schema schema{"veth", fields, make_record<Veth>};

}  // namespace

namespace kinds {
extern const Kind veth{.name = "veth", .details = &schema, .port = nullptr};
}

}  // namespace flintap
