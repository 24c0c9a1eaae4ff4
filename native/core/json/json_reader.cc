#include "core/json/json_reader.h"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace flintap {
namespace {

constexpr std::string_view kSpace = " \t\n\r";

constexpr unsigned kReplacement = 0xFFFD;

constexpr bool is_high_surrogate(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// In UTF-8. A surrogate without its other half is replaced, as V8 does it.
void append_character(std::string& text, unsigned code) {
  if (is_high_surrogate(code) || is_low_surrogate(code)) code = kReplacement;
  constexpr unsigned kSixBits = 0x3F;
  const auto put = [&](unsigned octet) { text += static_cast<char>(octet); };
  const auto put_tail = [&](unsigned shift) { put(0x80U | ((code >> shift) & kSixBits)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put_tail(0);
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put_tail(6);
    put_tail(0);
  } else {
    put(0xF0U | (code >> 18U));
    put_tail(12);
    put_tail(6);
    put_tail(0);
  }
}

}  // namespace

void JsonReader::skip_space() {
  const std::size_t space = rest_.find_first_not_of(kSpace);
  rest_.remove_prefix(space == std::string_view::npos ? rest_.size() : space);
}

bool JsonReader::is_next(char character) {
  skip_space();
  return rest_.starts_with(character);
}

bool JsonReader::take(char character) {
  if (!is_next(character)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonReader::take_word(std::string_view word) {
  skip_space();
  if (!rest_.starts_with(word)) return false;
  rest_.remove_prefix(word.size());
  return true;
}

std::nullopt_t JsonReader::end() {
  rest_.remove_prefix(rest_.size());
  return std::nullopt;
}

bool JsonReader::is_at_end() {
  skip_space();
  return rest_.empty();
}

std::optional<bool> JsonReader::boolean() {
  if (take_word("true")) return true;
  if (take_word("false")) return false;
  return std::nullopt;
}

std::optional<double> JsonReader::number() {
  skip_space();
  double number = 0;
  const auto [after, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
  // It takes "inf" and "nan" as well, which JSON has not.
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  rest_.remove_prefix(static_cast<std::size_t>(after - rest_.data()));
  return number;
}

std::optional<std::int64_t> JsonReader::whole_number() {
  constexpr double kExact = 9'007'199'254'740'991.0;
  const auto value = number();
  if (!value || std::trunc(*value) != *value || std::abs(*value) > kExact) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::optional<unsigned> JsonReader::code_unit() {
  constexpr std::size_t kDigits = 4;
  constexpr int kHexadecimal = 16;
  std::uint16_t unit = 0;
  if (rest_.size() < kDigits) return std::nullopt;
  const auto [after, error] =
      std::from_chars(rest_.data(), rest_.data() + kDigits, unit, kHexadecimal);
  if (error != std::errc() || after != rest_.data() + kDigits) return std::nullopt;
  rest_.remove_prefix(kDigits);
  return unit;
}

bool JsonReader::take_escape(std::string& text) {
  constexpr std::string_view kLetters = R"("\/bfnrt)";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (rest_.empty()) return false;
  const char letter = rest_.front();
  rest_.remove_prefix(1);
  if (const std::size_t place = kLetters.find(letter); place != std::string_view::npos) {
    text += kMeanings[place];
    return true;
  }
  auto unit = letter == 'u' ? code_unit() : std::nullopt;
  if (!unit) return false;
  if (is_high_surrogate(*unit) && rest_.starts_with("\\u")) {
    const std::string_view before = rest_;
    rest_.remove_prefix(2);
    const auto low = code_unit();
    if (low && is_low_surrogate(*low)) {
      unit = 0x10000U + ((*unit - 0xD800U) << 10U) + (*low - 0xDC00U);
    } else {
      rest_ = before;
    }
  }
  append_character(text, *unit);
  return true;
}

std::optional<std::string> JsonReader::string() {
  if (!take('"')) return std::nullopt;
  std::string text;
  for (;;) {
    const std::size_t plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) return end();
    text += rest_.substr(0, plain);
    const bool ends = rest_[plain] == '"';
    rest_.remove_prefix(plain + 1);
    if (ends) return text;
    if (!take_escape(text)) return end();
  }
}

bool JsonReader::skip_string() {
  rest_.remove_prefix(1);
  for (;;) {
    const std::size_t special = rest_.find_first_of("\"\\");
    if (special == std::string_view::npos) return false;
    const bool ends = rest_[special] == '"';
    rest_.remove_prefix(special + 1);
    if (ends) return true;
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
  }
}

std::optional<std::string_view> JsonReader::raw() {
  skip_space();
  const std::string_view from = rest_;
  std::size_t depth = 0;
  while (!rest_.empty()) {
    const char next = rest_.front();
    const bool closes = next == '}' || next == ']';
    // What ends the list around it.
    if (depth == 0 && (closes || next == ',')) break;
    if (next == '"') {
      if (!skip_string()) return end();
    } else {
      rest_.remove_prefix(1);
      if (next == '{' || next == '[') ++depth;
      if (closes) --depth;
    }
  }
  if (depth > 0 || rest_.size() == from.size()) return end();
  return from.substr(0, from.size() - rest_.size());
}

}  // namespace flintap
