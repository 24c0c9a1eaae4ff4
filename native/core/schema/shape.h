// How a type stands in an attribute and in a Value: one specialisation of Shape a type.
//
//   decode     attribute → value, nothing when its payload is not this type's
//   encode     value → attribute
//   to_value   value → Value
//   from_value Value → value, nothing when it is not this type's
//   expected   what from_value takes, in words
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/schema/record.h"

namespace flintap {

// Two lower-case hexadecimal digits.
void append_hexadecimal(std::string& text, unsigned char octet);

// A hardware address of any length; Ethernet's has 6 octets.
struct HardwareAddress {
  std::string octets;

  bool operator==(const HardwareAddress&) const = default;
  [[nodiscard]] std::string format() const;  // "02:00:5e:10:00:01"
  // Six octets in hexadecimal, with colons.
  static std::optional<HardwareAddress> parse(std::string_view text);
  [[nodiscard]] bool is_ethernet() const;
  [[nodiscard]] bool is_unicast() const;  // Ethernet, not multicast, not zero
};

// The names of an enumeration's values: specialise for each that JavaScript sees by name.
template <class Enum>
inline constexpr std::span<const std::pair<Enum, std::string_view>> enum_names{};

template <class T>
struct Shape;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <Integer T>
struct Shape<T> {
  static constexpr std::string_view expected = "an integer in its range";
  static std::optional<T> decode(const netlink::Attribute& attribute) { return attribute.as<T>(); }
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number, T value) {
    writer.put_value(number, value);
  }
  static Value to_value(T value) {
    if constexpr (std::same_as<T, std::uint64_t>) {
      return value;
    } else {
      return static_cast<std::int64_t>(value);
    }
  }
  static std::optional<T> from_value(Value&& value) {
    if constexpr (std::same_as<T, std::uint64_t>) {
      if (const auto* exact = std::get_if<T>(&value)) return *exact;
    }
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || !std::in_range<T>(*number)) return std::nullopt;
    return static_cast<T>(*number);
  }
};

template <>
struct Shape<bool> {
  static constexpr std::string_view expected = "a boolean";
  static std::optional<bool> decode(const netlink::Attribute& attribute) {
    if (const auto narrow = attribute.as<std::uint8_t>()) return *narrow != 0;
    if (const auto wide = attribute.as<std::uint32_t>()) return *wide != 0;
    return std::nullopt;
  }
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number, bool value) {
    writer.put_value(number, static_cast<std::uint8_t>(value));
  }
  static Value to_value(bool value) { return value; }
  static std::optional<bool> from_value(Value&& value) {
    const auto* flag = std::get_if<bool>(&value);
    return flag == nullptr ? std::nullopt : std::optional(*flag);
  }
};

// A boolean that the kernel keeps in 32 bits, such as IFLA_BR_STP_STATE.
struct WideBool : Shape<bool> {
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number, bool value) {
    writer.put_value(number, static_cast<std::uint32_t>(value));
  }
};

template <>
struct Shape<std::string> {
  static constexpr std::string_view expected = "a string";
  static std::optional<std::string> decode(const netlink::Attribute& attribute) {
    return attribute.text();
  }
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number,
                     const std::string& value) {
    writer.put_text(number, value);
  }
  static Value to_value(const std::string& value) { return Text(value); }
  static std::optional<std::string> from_value(Value&& value) {
    auto* text = std::get_if<std::string>(&value);
    // The kernel would stop at a NUL and take the rest for nothing.
    if (text == nullptr || text->find('\0') != std::string::npos) return std::nullopt;
    return std::move(*text);
  }
};

// A string that goes out without its NUL: IFLA_IFALIAS counts it among the 255 bytes of an alias.
struct BareText : Shape<std::string> {
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number,
                     const std::string& value) {
    writer.put(number, std::as_bytes(std::span(value)));
  }
};

// In requests only: lists stand in attributes in more than one way.
template <>
struct Shape<std::vector<std::string>> {
  static constexpr std::string_view expected = "an array of strings";
  static std::optional<std::vector<std::string>> decode(const netlink::Attribute&) {
    return std::nullopt;
  }
  static void encode(netlink::AttributeWriter&, std::uint16_t, const std::vector<std::string>&) {}
  static Value to_value(const std::vector<std::string>& value) { return Texts(value); }
  static std::optional<std::vector<std::string>> from_value(Value&& value) {
    auto* list = std::get_if<std::vector<std::string>>(&value);
    const auto has_nul = [](const std::string& text) {
      return text.find('\0') != std::string::npos;
    };
    if (list == nullptr || std::ranges::any_of(*list, has_nul)) return std::nullopt;
    return std::move(*list);
  }
};

template <>
struct Shape<HardwareAddress> {
  static constexpr std::string_view expected = "a hardware address such as 02:00:5e:10:00:01";
  static std::optional<HardwareAddress> decode(const netlink::Attribute& attribute);
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number,
                     const HardwareAddress& value);
  static Value to_value(const HardwareAddress& value) { return value.format(); }
  static std::optional<HardwareAddress> from_value(Value&& value);
};

// An enumeration: its underlying type on the wire, its names in JavaScript.
template <class Enum>
  requires std::is_enum_v<Enum>
struct Shape<Enum> {
  using Wire = std::underlying_type_t<Enum>;
  static constexpr std::string_view expected = "one of its names";
  static std::optional<Enum> decode(const netlink::Attribute& attribute) {
    const auto number = attribute.as<Wire>();
    if (!number) return std::nullopt;
    for (const auto& [value, name] : enum_names<Enum>) {
      if (static_cast<Wire>(value) == *number) return value;
    }
    return std::nullopt;
  }
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number, Enum value) {
    writer.put_value(number, static_cast<Wire>(value));
  }
  static Value to_value(Enum wanted) {
    for (const auto& [value, name] : enum_names<Enum>) {
      if (value == wanted) return name;
    }
    return std::monostate{};
  }
  static std::optional<Enum> from_value(Value&& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return std::nullopt;
    for (const auto& [candidate, name] : enum_names<Enum>) {
      if (name == *text) return candidate;
    }
    return std::nullopt;
  }
};

}  // namespace flintap
