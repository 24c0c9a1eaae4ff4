#include "core/schema/shape.h"

#include <algorithm>

namespace flintap {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kEthernetOctets = 6;

std::optional<unsigned> digit(char character) {
  const char lower =
      character >= 'A' && character <= 'F' ? static_cast<char>(character - 'A' + 'a') : character;
  const std::size_t place = kDigits.find(lower);
  return place == std::string_view::npos ? std::nullopt
                                         : std::optional(static_cast<unsigned>(place));
}

}  // namespace

void append_hexadecimal(std::string& text, unsigned char octet) {
  text += kDigits[octet >> 4U];
  text += kDigits[octet & 0xFU];
}

std::string HardwareAddress::format() const {
  std::string text;
  for (const char octet : octets) {
    if (!text.empty()) text += ':';
    append_hexadecimal(text, static_cast<unsigned char>(octet));
  }
  return text;
}

std::optional<HardwareAddress> HardwareAddress::parse(std::string_view text) {
  HardwareAddress address;
  if (text.size() != kEthernetOctets * 3 - 1) return std::nullopt;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const auto high = digit(text[at]);
    const auto low = digit(text[at + 1]);
    const bool separated = at + 2 == text.size() || text[at + 2] == ':';
    if (!high || !low || !separated) return std::nullopt;
    address.octets += static_cast<char>((*high << 4U) | *low);
  }
  return address;
}

bool HardwareAddress::is_ethernet() const { return octets.size() == kEthernetOctets; }

bool HardwareAddress::is_unicast() const {
  return is_ethernet() && (static_cast<unsigned char>(octets[0]) & 1U) == 0 &&
         std::ranges::any_of(octets, [](char octet) { return octet != 0; });
}

std::optional<HardwareAddress> Shape<HardwareAddress>::decode(const netlink::Attribute& attribute) {
  return HardwareAddress{std::string(reinterpret_cast<const char*>(attribute.payload.data()),
                                     attribute.payload.size())};
}

void Shape<HardwareAddress>::encode(netlink::AttributeWriter& writer, std::uint16_t number,
                                    const HardwareAddress& value) {
  writer.put(number, std::as_bytes(std::span(value.octets)));
}

std::optional<HardwareAddress> Shape<HardwareAddress>::from_value(Value&& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::nullopt : HardwareAddress::parse(*text);
}

}  // namespace flintap
