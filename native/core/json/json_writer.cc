#include "core/json/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace flintap {
namespace {

constexpr unsigned char kFirstPrintable = 0x20;
constexpr unsigned char kFirstBeyondAscii = 0x80;

bool is_plain(char character) {
  const auto octet = static_cast<unsigned char>(character);
  return octet >= kFirstPrintable && octet < kFirstBeyondAscii && character != '"' &&
         character != '\\';
}

}  // namespace

void JsonWriter::separate() {
  if (!is_first_) text_ += ',';
  is_first_ = false;
}

void JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  is_first_ = true;
}

void JsonWriter::close(char bracket) {
  text_ += bracket;
  is_first_ = false;
}

void JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  text_ += ':';
  is_first_ = true;
}

void JsonWriter::value(std::string_view text) {
  separate();
  quote(text);
}

void JsonWriter::value(bool truth) {
  separate();
  text_ += truth ? "true" : "false";
}

void JsonWriter::value(double number) {
  separate();
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text_.append(digits.data(), end.ptr);
}

void JsonWriter::raw(std::string_view json, bool json_is_ascii) {
  separate();
  text_ += json;
  is_ascii_ = is_ascii_ && json_is_ascii;
}

void JsonWriter::base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kGroup = 3;
  constexpr unsigned kSixBits = 0x3F;
  separate();
  text_ += '"';
  for (std::size_t at = 0; at < bytes.size(); at += kGroup) {
    const auto group = bytes.subspan(at, std::min(kGroup, bytes.size() - at));
    unsigned bits = 0;
    for (std::size_t place = 0; place < kGroup; ++place) {
      bits <<= 8U;
      if (place < group.size()) bits |= std::to_integer<unsigned>(group[place]);
    }
    for (std::size_t digit = 0; digit <= kGroup; ++digit) {
      const unsigned shift = 18U - 6U * static_cast<unsigned>(digit);
      text_ += digit <= group.size() ? kDigits[(bits >> shift) & kSixBits] : '=';
    }
  }
  text_ += '"';
}

// What is no UTF-8 goes out as it is: V8 replaces it.
void JsonWriter::quote(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  text_ += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    text_ += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto octet = static_cast<unsigned char>(text.front());
    if (octet >= kFirstBeyondAscii) {
      is_ascii_ = false;
      text_ += text.front();
    } else if (octet < kFirstPrintable) {
      text_ += "\\u00";
      text_ += kDigits[octet >> 4U];
      text_ += kDigits[octet & 0xFU];
    } else {
      text_ += '\\';
      text_ += text.front();
    }
    text.remove_prefix(1);
  }
  text_ += '"';
}

}  // namespace flintap
