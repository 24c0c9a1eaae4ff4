#include "core/link/requests.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "core/link/kind.h"
#include "core/schema/field.h"

namespace flintap {

using netlink::AttributeWriter;
using netlink::Request;

namespace {

constexpr std::array reference_fields{
    option<&Reference::identity>("identity"),
    option<&Reference::index>("index"),
    option<&Reference::name>("name"),
    option<&Reference::network_namespace>("namespace"),
};

ifinfomsg header(const Reference& link) {
  ifinfomsg info{};
  if (!link.identity && link.index) info.ifi_index = static_cast<int>(*link.index);
  return info;
}

// A header that names the link, by its attribute where it has no index.
AttributeWriter address(const Reference& link, ifinfomsg info) {
  AttributeWriter writer(info);
  if (link.identity) {
    writer.put_text(IFLA_ALT_IFNAME, *link.identity);
  } else if (!link.index && link.name) {
    writer.put_text(link.name->size() > kLongestName ? IFLA_ALT_IFNAME : IFLA_IFNAME, *link.name);
  }
  if (link.looked_up_in) writer.put_value(IFLA_TARGET_NETNSID, *link.looked_up_in);
  return writer;
}

AttributeWriter address(const Reference& link) { return address(link, header(link)); }

void ask_for_statistics(AttributeWriter& writer, bool wanted) {
  const std::uint32_t mask = wanted ? 0 : RTEXT_FILTER_SKIP_STATS;
  writer.put_value(IFLA_EXT_MASK, mask);
}

}  // namespace

constexpr Schema kReferenceSchema{"reference", reference_fields, make_record<Reference>};

Reference Reference::by_index(std::uint32_t number) {
  Reference reference;
  reference.index = number;
  return reference;
}

Reference Reference::by_name(std::string_view text) {
  Reference reference;
  reference.name = text;
  return reference;
}

Reference Reference::by_identity(std::string_view text) {
  Reference reference;
  reference.identity = text;
  return reference;
}

std::string Reference::label() const {
  if (name) return *name;
  if (identity) return *identity;
  return index ? "index " + std::to_string(*index) : std::string();
}

void write_link(const Link& link, AttributeWriter& writer) {
  encode(link, kLinkSchema, writer);
  if (!link.kind) return;
  writer.nest(IFLA_LINKINFO, [&] {
    writer.put_text(IFLA_INFO_KIND, *link.kind);
    const Kind* kind = find_kind(*link.kind);
    if (link.details && kind != nullptr && kind->details != nullptr) {
      writer.nest(IFLA_INFO_DATA, [&] { encode(*link.details, *kind->details, writer); });
    }
  });
}

namespace requests {

Request get(const Reference& link, std::string_view step, bool statistics) {
  AttributeWriter writer = address(link);
  ask_for_statistics(writer, statistics);
  return {RTM_GETLINK, 0, step, writer, true};
}

Request dump(const DumpFilter& filter) {
  AttributeWriter writer(ifinfomsg{});
  ask_for_statistics(writer, filter.statistics);
  if (filter.master) writer.put_value(IFLA_MASTER, *filter.master);
  if (filter.kind) {
    writer.nest(IFLA_LINKINFO, [&] { writer.put_text(IFLA_INFO_KIND, *filter.kind); });
  }
  return {RTM_GETLINK, NLM_F_DUMP, "list links", writer, true};
}

Request create(const Link& link) {
  ifinfomsg info{};
  info.ifi_index = static_cast<int>(link.index.value_or(0));
  AttributeWriter writer(info);
  write_link(link, writer);
  return {RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "create", writer};
}

Request change(const Reference& link, std::string_view step, const Link& changes) {
  ifinfomsg info = header(link);
  const auto set_flag = [&](std::optional<bool> wanted, unsigned int flag) {
    if (!wanted) return;
    info.ifi_change |= flag;
    if (*wanted) info.ifi_flags |= flag;
  };
  set_flag(changes.up, IFF_UP);
  set_flag(changes.promiscuous, IFF_PROMISC);
  AttributeWriter writer = address(link, info);
  encode(changes, kLinkSchema, writer);
  return {RTM_SETLINK, 0, step, writer};
}

namespace {

AttributeWriter with_alt_names(const Reference& link, std::span<const std::string> names) {
  AttributeWriter writer = address(link);
  writer.nest(IFLA_PROP_LIST | NLA_F_NESTED, [&] {
    for (const std::string& name : names) writer.put_text(IFLA_ALT_IFNAME, name);
  });
  return writer;
}

}  // namespace

Request add_alt_names(const Reference& link, std::string_view step,
                      std::span<const std::string> names) {
  return {RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, step, with_alt_names(link, names)};
}

Request remove_alt_name(const Reference& link, std::string_view step, const std::string& name) {
  return {RTM_DELLINKPROP, 0, step, with_alt_names(link, {&name, 1})};
}

Request set_port(const Reference& link, std::string_view step, std::string_view port_kind,
                 const Record& port, const Schema& schema) {
  AttributeWriter writer = address(link);
  writer.nest(IFLA_LINKINFO, [&] {
    writer.put_text(IFLA_INFO_SLAVE_KIND, port_kind);
    writer.nest(IFLA_INFO_SLAVE_DATA, [&] { encode(port, schema, writer); });
  });
  return {RTM_NEWLINK, 0, step, writer};
}

Request move(const Reference& link, std::string_view step, const Destination& destination) {
  AttributeWriter writer = address(link);
  writer.put_value(IFLA_NET_NS_FD, static_cast<std::uint32_t>(destination.network_namespace));
  if (destination.index) writer.put_value(IFLA_NEW_IFINDEX, *destination.index);
  if (destination.name) writer.put_text(IFLA_IFNAME, *destination.name);
  return {RTM_SETLINK, 0, step, writer};
}

Request set_ipv6_addresses(const Reference& link, std::string_view step, std::uint8_t mode) {
  AttributeWriter writer = address(link);
  writer.nest(IFLA_AF_SPEC, [&] {
    writer.nest(AF_INET6, [&] { writer.put_value(IFLA_INET6_ADDR_GEN_MODE, mode); });
  });
  return {RTM_SETLINK, 0, step, writer};
}

Request stop_ipv6_addresses(const Reference& link, std::string_view step) {
  return set_ipv6_addresses(link, step, IN6_ADDR_GEN_MODE_NONE);
}

Request set_noqueue(std::uint32_t index, std::string_view step) {
  tcmsg root{};
  root.tcm_family = AF_UNSPEC;
  root.tcm_ifindex = static_cast<int>(index);
  root.tcm_parent = TC_H_ROOT;
  AttributeWriter writer(root);
  writer.put_text(TCA_KIND, "noqueue");
  return {RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, step, writer};
}

Request remove(const Reference& link, std::string_view step) {
  return {RTM_DELLINK, 0, step, address(link)};
}

Request set_group(const Reference& link, std::string_view step, std::uint32_t group) {
  AttributeWriter writer = address(link);
  writer.put_value(IFLA_GROUP, group);
  return {RTM_SETLINK, 0, step, writer};
}

Request remove_group(std::uint32_t group, std::string_view step) {
  AttributeWriter writer(ifinfomsg{});
  writer.put_value(IFLA_GROUP, group);
  return {RTM_DELLINK, 0, step, writer};
}

}  // namespace requests

namespace {

// A payload whose kind has no table here stays raw, as a whole IFLA_LINKINFO.
void decode_info(Link& link, const netlink::Attribute& info) {
  const auto kind = netlink::find(info.payload, IFLA_INFO_KIND);
  const auto data = netlink::find(info.payload, IFLA_INFO_DATA);
  const auto port_kind = netlink::find(info.payload, IFLA_INFO_SLAVE_KIND);
  const auto port_data = netlink::find(info.payload, IFLA_INFO_SLAVE_DATA);
  link.kind = kind ? kind->text() : std::string();
  if (port_kind) link.port_kind = port_kind->text();
  const auto decode_as = [](const Schema* schema, const netlink::Attribute& attribute) {
    auto record = schema->make();
    decode(*record, *schema, attribute.payload);
    return record;
  };
  const Kind* own = find_kind(*link.kind);
  const Kind* masters = link.port_kind ? find_kind(*link.port_kind) : nullptr;
  const bool details_known = own != nullptr && own->details != nullptr;
  const bool port_known = masters != nullptr && masters->port != nullptr;
  if (data && details_known) link.details = decode_as(own->details, *data);
  if (port_data && port_known) link.port = decode_as(masters->port, *port_data);
  if ((data && !details_known) || (port_data && !port_known)) {
    link.unknown.put(IFLA_LINKINFO, info.payload);
  }
}

}  // namespace

std::optional<Link> read_link(const netlink::Frame& frame, bool statistics) {
  ifinfomsg info{};
  if (frame.header.nlmsg_type != RTM_NEWLINK || frame.body.size() < sizeof info) {
    return std::nullopt;
  }
  std::memcpy(&info, frame.body.data(), sizeof info);
  if (info.ifi_family != AF_UNSPEC) return std::nullopt;
  const netlink::Bytes attributes = frame.body.subspan(sizeof info);
  Link link;
  link.kind = std::string();
  link.alt_names.emplace();
  link.index = static_cast<std::uint32_t>(info.ifi_index);
  link.flags = info.ifi_flags;
  link.up = (info.ifi_flags & IFF_UP) != 0;
  link.promiscuous = (info.ifi_flags & IFF_PROMISC) != 0;
  decode(link, kLinkSchema, attributes);
  if (!statistics) link.statistics.reset();
  if (const auto kind = netlink::find(attributes, IFLA_LINKINFO)) decode_info(link, *kind);
  return link;
}

}  // namespace flintap
