#include "tests/octets.h"

#include <charconv>
#include <sstream>
#include <stdexcept>

namespace flintap::tests {

Octets octets(std::string_view hex) {
  Octets bytes;
  std::istringstream words{std::string(hex)};
  for (std::string word; words >> word;) {
    unsigned value = 0;
    const char* end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data(), end, value, 16);
    if (word.size() != 2 || parsed.ec != std::errc() || parsed.ptr != end) {
      throw std::runtime_error("\"" + word + "\" is no octet");
    }
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

std::string hex(netlink::Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte octet : bytes) {
    if (!text.empty()) text += ' ';
    text += digits[std::to_integer<unsigned>(octet) >> 4U];
    text += digits[std::to_integer<unsigned>(octet) & 0xFU];
  }
  return text;
}

}  // namespace flintap::tests
