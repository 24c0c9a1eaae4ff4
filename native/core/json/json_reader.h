// Reads JSON that V8 has written (JSON.stringify), value by value and without a tree. A value that
// is of another kind is left for another read. A text that is broken ends the reading: every read
// then gives nothing. Looks at no byte beyond the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flintap {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  // Whether this character, which stands for the kind of a value or ends a list, comes next; it is
  // passed over.
  bool take(char character);
  [[nodiscard]] bool is_next(char character);

  std::optional<std::string> string();
  std::optional<double> number();
  // A whole number that JavaScript's hold exactly. Any other is passed over, and gives nothing.
  std::optional<std::int64_t> whole_number();
  std::optional<bool> boolean();

  // The text of the next value, whatever it is, passed over.
  std::optional<std::string_view> raw();

  [[nodiscard]] bool is_at_end();

 private:
  void skip_space();
  bool take_word(std::string_view word);
  bool take_escape(std::string& text);
  std::optional<unsigned> code_unit();
  bool skip_string();
  std::nullopt_t end();

  std::string_view rest_;
};

}  // namespace flintap
