// Writes JSON for JavaScript's own parser: that makes objects of a text faster than they can be
// made value by value from C++, and the text can be written on any thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace flintap {

class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  // The next value is its value.
  void key(std::string_view name);

  void value(std::string_view text);
  // A pointer would rather be a bool.
  void value(const char* text) { value(std::string_view(text)); }
  void value(bool truth);
  template <std::integral Number>
  void value(Number number) {
    separate();
    text_ += std::to_string(number);
  }
  void value(double number);
  void base64(std::span<const std::byte> bytes);
  // JSON that was written before.
  void raw(std::string_view json, bool json_is_ascii);

  template <class Value>
  void member(std::string_view name, const Value& value_of_it) {
    key(name);
    value(value_of_it);
  }

  void reserve(std::size_t characters) { text_.reserve(characters); }
  [[nodiscard]] std::string& text() { return text_; }
  // Every character of the text is one byte, in UTF-8 and in V8.
  [[nodiscard]] bool is_ascii() const { return is_ascii_; }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void quote(std::string_view text);

  std::string text_;
  bool is_first_ = true;  // of its object or array, or after a key
  bool is_ascii_ = true;
};

}  // namespace flintap
