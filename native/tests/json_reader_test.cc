#include "core/json/json_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

using namespace flintap;

namespace {

std::optional<std::string> string_of(std::string_view text) { return JsonReader(text).string(); }
std::optional<double> number_of(std::string_view text) { return JsonReader(text).number(); }

// The value up to a comma behind it.
std::string raw_of(std::string_view text) {
  JsonReader json(text);
  return std::string(json.raw().value_or("broken"));
}

// Reads everything that can be read; gives how many reads gave something.
std::size_t read_all(std::string_view text) {
  JsonReader json(text);
  std::size_t reads = 0;
  const auto read = [&] {
    return json.string() || json.number() || json.boolean() || json.take(',') || json.take('{') ||
           json.take('}') || json.take('[') || json.take(']') || json.take(':');
  };
  while (read()) ++reads;
  return reads;
}

// In memory of its own, behind which AddressSanitizer sees every read.
template <class Use>
void with_exactly(std::string_view text, Use use) {
  const auto copy = std::make_unique<char[]>(text.size());  // NOLINT(modernize-avoid-c-arrays)
  std::ranges::copy(text, copy.get());
  use(std::string_view(copy.get(), text.size()));
}

bool gives_nothing(JsonReader& json) {
  return !json.string() && !json.number() && !json.boolean() && !json.raw() && !json.take(',') &&
         json.is_at_end();
}

}  // namespace

TEST_SUITE("JSON that is read") {
  TEST_CASE("gives the values of an object one after the other") {
    JsonReader json(R"({"a":1,"b":[true,"c"],"d":{}})");
    CHECK(json.take('{'));
    CHECK(json.string() == "a");
    CHECK(json.take(':'));
    CHECK(json.number() == 1);
    CHECK(json.take(','));
    CHECK(json.string() == "b");
    CHECK(json.take(':'));
    CHECK(json.take('['));
    CHECK(json.boolean() == true);
    CHECK(json.take(','));
    CHECK(json.string() == "c");
    CHECK_FALSE(json.is_next(','));
    CHECK(json.take(']'));
    CHECK(json.take(','));
    CHECK(json.raw() == R"("d":{})");
    CHECK_FALSE(json.is_at_end());
    CHECK(json.take('}'));
    CHECK(json.is_at_end());
  }

  TEST_CASE("may have space between its values") {
    JsonReader json(" \n[\t1 , false\r] ");
    CHECK(json.take('['));
    CHECK(json.number() == 1);
    CHECK(json.take(','));
    CHECK(json.boolean() == false);
    CHECK(json.take(']'));
    CHECK(json.is_at_end());
  }

  TEST_CASE("leaves a value of another kind for another read") {
    JsonReader json("true");
    CHECK_FALSE(json.string());
    CHECK_FALSE(json.number());
    CHECK(json.boolean() == true);
  }

  TEST_CASE("has texts with every escape") {
    CHECK(string_of(R"("")") == "");
    CHECK(string_of(R"("plain ü€😀")") == "plain ü€😀");
    CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
    CHECK(string_of(R"("\u0041\u00fC\u20ac")") == "Aü€");
    CHECK(string_of(R"("a\u0000b")") == std::string("a\0b", 3));
    CHECK(string_of(R"("\u007f\u0080\u07ff\u0800\uffff")") ==
          "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
  }

  TEST_CASE("has surrogate pairs, and half of one is replaced") {
    CHECK(string_of(R"("\ud83d\ude00")") == "😀");
    CHECK(string_of(R"("\uD800\uDC00\uDBFF\uDFFF")") == "\U00010000\U0010FFFF");
    CHECK(string_of(R"("\ud83d")") == "\uFFFD");
    CHECK(string_of(R"("\ude00")") == "\uFFFD");
    CHECK(string_of(R"("\ud83dx")") == "\uFFFDx");
    CHECK(string_of(R"("\ud83d\n")") == "\uFFFD\n");
    CHECK(string_of(R"("\ud83d\u0041")") == "\uFFFDA");
    CHECK(string_of(R"("\ud83d\ud83d\ude00")") == "\uFFFD😀");
    CHECK(string_of(R"("\ude00\ud83d")") == "\uFFFD\uFFFD");
  }

  TEST_CASE("has numbers as JavaScript writes them") {
    CHECK(number_of("0") == 0);
    CHECK(number_of("-0") == 0);
    CHECK(number_of("-12.5") == -12.5);
    CHECK(number_of("9007199254740991") == 9'007'199'254'740'991.0);
    CHECK(number_of("1e+21") == 1e21);
    CHECK(number_of("1.5e-7") == 1.5e-7);
    CHECK(number_of("5e-324") == std::numeric_limits<double>::denorm_min());
    CHECK(number_of("1.7976931348623157e+308") == std::numeric_limits<double>::max());
  }

  TEST_CASE("has whole numbers that JavaScript's hold, and passes over others") {
    const auto whole = [](std::string_view text) { return JsonReader(text).whole_number(); };
    CHECK(whole("-9007199254740991") == -9'007'199'254'740'991);
    CHECK(whole("4294967296") == 4'294'967'296);
    CHECK(whole("2e3") == 2000);
    CHECK_FALSE(whole("9007199254740992"));
    CHECK_FALSE(whole("\"7\""));
    JsonReader json("2.5,7");
    CHECK_FALSE(json.whole_number());
    CHECK(json.take(','));
    CHECK(json.whole_number() == 7);
  }

  TEST_CASE("has no number that no double can be") {
    for (const char* text : {"1e400", "-1e400", "inf", "-inf", "infinity", "nan", "nan(1)", "-",
                             "+1", "e5", "", "null", "\"1\""}) {
      CAPTURE(text);
      CHECK_FALSE(number_of(text));
    }
  }

  TEST_CASE("is passed over value by value") {
    CHECK(raw_of("1,2") == "1");
    CHECK(raw_of("null}") == "null");
    CHECK(raw_of(R"("a,]}\"\\",1)") == R"("a,]}\"\\")");
    CHECK(raw_of(R"([1,[2,{"a":"]"}]],3)") == R"([1,[2,{"a":"]"}]])");
    CHECK(raw_of("{}") == "{}");
    constexpr std::size_t kDeep = 100'000;
    const std::string deep = std::string(kDeep, '[') + std::string(kDeep, ']');
    CHECK(raw_of(deep + ",1") == deep);
  }

  TEST_CASE("ends where it is broken") {
    for (const char* text :
         {R"("no end)", R"("no end\)", R"("no end\")", R"("\q" 1)", R"("\u12" 1)", R"("\u12g4" 1)",
          R"("\u+123" 1)", R"("\ud83d\u" 1)", R"("\u)"}) {
      CAPTURE(text);
      JsonReader json(text);
      CHECK_FALSE(json.string());
      CHECK(gives_nothing(json));
    }
    for (const char* text : {"[1", "{", R"(["a)", R"({"a\)", "[[]", "", " ", "\"", R"("\)"}) {
      CAPTURE(text);
      JsonReader json(text);
      CHECK_FALSE(json.raw());
      CHECK(gives_nothing(json));
    }
  }

  TEST_CASE("has no empty value") {
    for (const char* text : {",1", "]", "}"}) {
      CAPTURE(text);
      CHECK_FALSE(JsonReader(text).raw());
    }
  }

  TEST_CASE("is read to its end and no further, cut anywhere and with any byte in it") {
    constexpr std::string_view kText =
        R"({"a":[1,-2.5e+3,true,false],"b":"\ud83d\ude00\u0041\\\"\n","c":{"d":[{}]}} )";
    for (std::size_t length = 0; length <= kText.size(); ++length) {
      with_exactly(kText.substr(0, length), [&](std::string_view cut) {
        CHECK(read_all(cut) <= length);
        static_cast<void>(JsonReader(cut).raw());
      });
    }
    for (std::size_t at = 0; at < kText.size(); ++at) {
      for (const char other : {'\0', '"', '\\', '{', '}', '[', ']', ',', 'u', '\xFF'}) {
        std::string text(kText);
        text[at] = other;
        with_exactly(text, [&](std::string_view changed) {
          CHECK(read_all(changed) <= changed.size());
          static_cast<void>(JsonReader(changed).raw());
        });
      }
    }
  }
}
