#include "core/json/json_writer.h"

#include <doctest/doctest.h>

#include <limits>

using namespace flintap;

namespace {

template <class Value>
std::string written(const Value& value) {
  JsonWriter json;
  json.value(value);
  return json.text();
}

std::string quoted(std::string_view text) { return written(text); }

std::string base64(std::string_view text) {
  JsonWriter json;
  json.base64(std::as_bytes(std::span(text)));
  return json.text();
}

bool stays_ascii(std::string_view text) {
  JsonWriter json;
  json.value(text);
  return json.is_ascii();
}

}  // namespace

TEST_SUITE("JSON that is written") {
  TEST_CASE("has a comma between the members of an object and the entries of an array") {
    JsonWriter json;
    json.begin_object();
    json.key("none");
    json.begin_array();
    json.end_array();
    json.key("some");
    json.begin_array();
    json.value(1);
    json.begin_object();
    json.end_object();
    json.begin_object();
    json.member("a", true);
    json.member("b", false);
    json.end_object();
    json.base64({});
    json.end_array();
    json.member("last", 2.5);
    json.end_object();
    CHECK(json.text() == R"({"none":[],"some":[1,{},{"a":true,"b":false},""],"last":2.5})");
  }

  TEST_CASE("escapes what may not stand in a text, and nothing else") {
    CHECK(quoted("") == R"("")");
    CHECK(quoted("plain /'<>\x7F") == "\"plain /'<>\x7F\"");
    CHECK(quoted(R"(a"b\c)") == R"("a\"b\\c")");
    CHECK(quoted("\"") == R"("\"")");
    CHECK(quoted("\n\t\r") == R"("\u000a\u0009\u000d")");
    CHECK(quoted({"a\0b\x1F", 4}) == R"("a\u0000b\u001f")");
  }

  TEST_CASE("escapes names as well") {
    JsonWriter json;
    json.begin_object();
    json.member("a\"b", 1);
    json.end_object();
    CHECK(json.text() == R"({"a\"b":1})");
  }

  TEST_CASE("keeps what is beyond ASCII as it is, and tells that there is some") {
    CHECK(quoted("ü€😀") == "\"ü€😀\"");
    CHECK(quoted("a\xFF\x80z") == "\"a\xFF\x80z\"");
    CHECK(stays_ascii("plain \n \x7F"));
    CHECK_FALSE(stays_ascii("plain \x80"));
    JsonWriter json;
    json.begin_array();
    json.value("ü");
    json.value("plain");
    json.end_array();
    CHECK_FALSE(json.is_ascii());
  }

  TEST_CASE("has whole numbers in full") {
    CHECK(written(0) == "0");
    CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(written(std::uint8_t{200}) == "200");
  }

  TEST_CASE("has other numbers in as few digits as tell them apart") {
    CHECK(written(0.1) == "0.1");
    CHECK(written(-0.25) == "-0.25");
    CHECK(written(3.0) == "3");
    CHECK(written(1e100) == "1e+100");
    CHECK(written(std::numeric_limits<double>::denorm_min()) == "5e-324");
    CHECK(written(-std::numeric_limits<double>::max()) == "-1.7976931348623157e+308");
  }

  TEST_CASE("takes a literal for a text") { CHECK(written("text") == R"("text")"); }

  // Those of RFC 4648.
  TEST_CASE("has bytes in base64") {
    CHECK(base64("") == R"("")");
    CHECK(base64("f") == R"("Zg==")");
    CHECK(base64("fo") == R"("Zm8=")");
    CHECK(base64("foo") == R"("Zm9v")");
    CHECK(base64("foob") == R"("Zm9vYg==")");
    CHECK(base64("fooba") == R"("Zm9vYmE=")");
    CHECK(base64("foobar") == R"("Zm9vYmFy")");
    CHECK(base64("\xFB\xFF\xBF") == R"("+/+/")");
    CHECK(base64({"\0\0\0\0", 4}) == R"("AAAAAA==")");
  }
}
