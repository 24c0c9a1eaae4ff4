// Builds the rows of a table from member pointers:
//
//   field<&Link::mtu>("mtu", IFLA_MTU, Access::settable)
//
// The member is a std::optional of a type that has a Shape. For a member that is a record of its
// own, see nested().
//
// A record's name must be its own in the whole program, also in an unnamed namespace: GCC 12 gives
// the functions below external linkage all the same, and the linker keeps one of each name.
#pragma once

#include <memory>

#include "core/schema/record.h"
#include "core/schema/shape.h"

namespace flintap {
namespace detail {

template <class Member>
struct MemberOf;
template <class Owner_, class T>
struct MemberOf<std::optional<T> Owner_::*> {
  using Owner = Owner_;
  using Type = T;
};
template <class Owner_, class T>
struct MemberOf<std::unique_ptr<T> Owner_::*> {
  using Owner = Owner_;
  using Type = T;
};

template <auto Member>
using Owner = typename MemberOf<decltype(Member)>::Owner;
template <auto Member>
using Type = typename MemberOf<decltype(Member)>::Type;

template <auto Member>
const auto& member(const Record& record) {
  return static_cast<const Owner<Member>&>(record).*Member;
}
template <auto Member>
auto& member(Record& record) {
  return static_cast<Owner<Member>&>(record).*Member;
}

}  // namespace detail

// A field whose codec follows from its type; `Codec` overrides it, as WideBool does.
template <auto Member, class Codec = Shape<detail::Type<Member>>>
constexpr Field field(std::string_view name, std::uint16_t number = 0,
                      Access access = Access::read_only) {
  return {
      .name = name,
      .number = number,
      .access = access,
      .slack = 0,
      .required = false,
      .expected = Codec::expected,
      .get = [](const Record& record) -> Value {
        const auto& value = detail::member<Member>(record);
        return value ? Codec::to_value(*value) : Value{};
      },
      .set =
          [](Record& record, Value&& value) {
            auto taken = Codec::from_value(std::move(value));
            if (!taken) return false;
            detail::member<Member>(record) = std::move(taken);
            return true;
          },
      .decode =
          [](Record& record, const netlink::Attribute& attribute) {
            auto value = Codec::decode(attribute);
            if (!value) return false;
            detail::member<Member>(record) = std::move(value);
            return true;
          },
      .encode =
          [](const Record& record, netlink::AttributeWriter& writer, std::uint16_t number_) {
            const auto& value = detail::member<Member>(record);
            if (value) Codec::encode(writer, number_, *value);
          },
      .nested = nullptr,
  };
}

// A field of a request: no attribute, converted from JavaScript only.
template <auto Member>
constexpr Field option(std::string_view name) {
  Field row = field<Member>(name);
  row.access = Access::write_only;
  row.decode = nullptr;
  row.encode = nullptr;
  return row;
}

constexpr Field required(Field row) {
  row.required = true;
  return row;
}

// A record that its owner holds by std::unique_ptr, described by the table that `schema_of` names.
// It has no attribute of its own: whoever knows where it stands in a message writes it there.
template <auto Member, const Schema* (*SchemaOf)(const detail::Owner<Member>&)>
constexpr Field nested(std::string_view name, Access access = Access::settable) {
  return {
      .name = name,
      .number = 0,
      .access = access,
      .slack = 0,
      .required = false,
      .expected = "an object",
      .get = [](const Record& record) -> Value {
        const auto& inner = detail::member<Member>(record);
        const auto& owner = static_cast<const detail::Owner<Member>&>(record);
        if (!inner) return {};
        return Nested{.record = inner.get(), .schema = SchemaOf(owner)};
      },
      .set =
          [](Record& record, Value&& value) {
            auto* inner = std::get_if<Nested>(&value);
            if (inner == nullptr || !inner->owned) return false;
            using Inner = detail::Type<Member>;
            detail::member<Member>(record).reset(static_cast<Inner*>(inner->owned.release()));
            return true;
          },
      .decode = nullptr,
      .encode = nullptr,
      .nested = [](const Record& record) -> const Schema* {
        return SchemaOf(static_cast<const detail::Owner<Member>&>(record));
      },
  };
}

// The same row for an attribute that only the kernel writes, decoded by a function of its own.
constexpr Field reported_as(Field row, std::uint16_t number,
                            bool (*decode)(Record&, const netlink::Attribute&)) {
  row.number = number;
  row.access = Access::read_only;
  row.decode = decode;
  return row;
}

// An attribute that says what another one says better, and is not worth keeping.
constexpr Field superseded(std::uint16_t number) {
  return {.name = {}, .number = number, .decode = [](Record&, const netlink::Attribute&) {
            return true;
          }};
}

template <class T>
std::unique_ptr<Record> make_record() {
  return std::make_unique<T>();
}

}  // namespace flintap
