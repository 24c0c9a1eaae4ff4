// Records as JSON and back, by a table of its own, which has a row of every sort, and by a link's.
#include "core/json/record_json.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "core/link/kind.h"
#include "core/link/link.h"
#include "core/schema/field.h"
#include "tests/octets.h"
#include "tests/value.h"

using namespace flintap;
using tests::octets;
using tests::text_at;

namespace {

struct JsonInner : Record {
  std::optional<std::uint32_t> depth;
};

constexpr std::array inner_fields{required(field<&JsonInner::depth>("depth", 1, Access::settable))};
constexpr Schema inner_schema{"inner", inner_fields, make_record<JsonInner>};

struct JsonSample : Record {
  std::optional<std::string> name;
  std::optional<bool> up;
  std::optional<std::uint8_t> small;
  std::optional<std::int64_t> big;
  std::optional<std::uint64_t> counter;
  std::optional<std::vector<std::string>> names;
  std::optional<HardwareAddress> mac;
  std::optional<HostIpv6> ipv6;
  std::unique_ptr<JsonInner> inner;
};

const Schema* inner_of(const JsonSample&) { return &inner_schema; }

constexpr std::array sample_fields{
    required(field<&JsonSample::name>("name", 1, Access::settable)),
    field<&JsonSample::up>("up", 2, Access::settable),
    field<&JsonSample::small>("small", 3, Access::settable),
    option<&JsonSample::big>("big"),
    field<&JsonSample::counter>("counter", 4),
    option<&JsonSample::names>("names"),
    field<&JsonSample::mac>("mac", 5, Access::settable),
    option<&JsonSample::ipv6>("ipv6"),
    nested<&JsonSample::inner, inner_of>("inner"),
    superseded(6),
};
constexpr Schema schema{"sample", sample_fields, make_record<JsonSample>};

JsonSample read(std::string_view text) {
  JsonSample sample;
  read_json(text, sample, schema, "sample");
  return sample;
}

std::string written(const Record& record, const Schema& by = schema,
                    Unknown unknown = Unknown::left_out) {
  JsonWriter json;
  write_json(json, record, by, unknown);
  return json.text();
}

// What is wrong with a text.
std::string wrong(std::string_view text) {
  try {
    read(text);
  } catch (const WrongJson& error) {
    return error.what();
  }
  return "nothing";
}

// What is wrong with a value of a field.
std::string wrong(std::string_view field, std::string_view value) {
  return wrong(R"({"name":"a",")" + std::string(field) + R"(":)" + std::string(value) + "}");
}

}  // namespace

TEST_SUITE("records as JSON") {
  TEST_CASE("come back as they were, field by field") {
    const std::string text =
        R"({"name":"a\"ü","up":false,"small":255,"big":-9007199254740991,"names":["b",""],)"
        R"("mac":"02:00:5e:10:00:01","ipv6":"reduced","inner":{"depth":7}})";
    const JsonSample sample = read(text);
    CHECK(sample.name == "a\"ü");
    CHECK(sample.up == false);
    CHECK(sample.small == 255);
    CHECK(sample.big == -9'007'199'254'740'991);
    CHECK(sample.names == std::vector<std::string>{"b", ""});
    CHECK(sample.ipv6 == HostIpv6::reduced);
    REQUIRE(sample.inner);
    CHECK(sample.inner->depth == 7U);
    CHECK(written(sample) == text);
  }

  TEST_CASE("leave out what is unset") {
    CHECK(written(JsonSample{}) == "{}");
    const JsonSample sample = read(R"({"name":""})");
    CHECK_FALSE(sample.up);
    CHECK_FALSE(sample.inner);
    CHECK(written(sample) == R"({"name":""})");
  }

  TEST_CASE("have counters as texts, in full") {
    JsonSample sample;
    sample.counter = std::numeric_limits<std::uint64_t>::max();
    CHECK(written(sample) == R"({"counter":"18446744073709551615"})");
  }

  TEST_CASE("have attributes without a row in base64, as they stand in a message, if wanted") {
    JsonSample sample;
    decode(sample, schema, octets("07 00 63 00 01 02 03 00 04 00 64 00 05 00 02 00 01 00 00 00"));
    CHECK(sample.up == true);
    CHECK(written(sample) == R"({"up":true})");
    CHECK(written(sample, schema, Unknown::given) == R"({"up":true,"unknown":"BwBjAAECAwAEAGQA"})");
  }

  TEST_CASE("may come in any order and with space") {
    const JsonSample sample =
        read(" { \"up\" : true ,\n\"inner\":{ \"depth\" : 1 }, \"name\":\"a\" } ");
    CHECK(sample.name == "a");
    CHECK(sample.up == true);
    CHECK(sample.inner->depth == 1U);
  }

  TEST_CASE("are refused with a field that there is not, or not to be asked for") {
    CHECK(wrong("other", "1") == "sample.other: no such field");
    CHECK(wrong("", "1") == "sample.: no such field");
    CHECK(wrong("unknown", R"("BwBjAA==")") == "sample.unknown: no such field");
    CHECK(wrong("counter", R"("1")") == "sample.counter: no such field");
    CHECK(wrong("inner", R"({"depth":1,"other":1})") == "sample.inner.other: no such field");
  }

  TEST_CASE("are refused without a field that has to be there") {
    CHECK(wrong("{}") == "sample.name: expected a string");
    CHECK(wrong(R"({"name":null})") == "sample.name: expected a string");
    CHECK(wrong("inner", "{}").starts_with("sample.inner.depth: expected "));
  }

  TEST_CASE("are refused with a value of another kind") {
    CHECK(wrong(R"({"name":1})") == "sample.name: expected a string");
    CHECK(wrong(R"({"name":"a\u0000b"})") == "sample.name: expected a string");
    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong_ones{
        {"up", {"1", "null", R"("true")", "[]", "{}", "truth", "TRUE"}},
        {"small", {"256", "-1", "1.5", "1e400", "nan", "inf", "true", R"("1")", "null"}},
        {"big", {"9007199254740993", "-9007199254740994", "1e18", "0.5", "[1]"}},
        {"names",
         {R"("b")", "[1]", R"(["b",1])", R"(["b" "c"])", "{}", R"(["\u0000"])", R"([["b"]])"}},
        {"mac", {R"("02:00")", R"("")", "2"}},
        {"ipv6", {R"("shut")", R"("")", "0"}},
        {"inner", {"7", "[]", R"("depth")", "null"}},
    };
    for (const auto& [field, values] : wrong_ones) {
      for (const std::string& value : values) {
        CAPTURE(field);
        CAPTURE(value);
        CHECK(wrong(field, value).starts_with("sample." + field + ": expected "));
      }
    }
  }

  TEST_CASE("are refused where something stands behind a value") {
    CHECK(wrong("up", "true false") == "sample.up: expected a boolean");
    CHECK(wrong(R"({"name":"a" "up":true})") == "sample.name: expected a string");
    CHECK(wrong("names", R"(["b"}])") == "sample: expected JSON");
    CHECK(wrong("small", "1x").starts_with("sample.small: expected "));
    CHECK(wrong("names", R"(["b"]"c")").starts_with("sample.names: expected "));
    CHECK(wrong(R"({"name":"a"} {})") == "sample: expected JSON");
    CHECK(wrong("inner", R"({"depth":1}1)") == "sample.inner: expected JSON");
  }

  TEST_CASE("are refused where they are no object, or broken") {
    for (const char* text : {"", "null", "[]", "1", R"("name")"}) {
      CAPTURE(text);
      CHECK(wrong(text) == "sample: expected an object");
    }
    for (const char* text :
         {"{", R"({"name)", R"({"name"})", R"({"name":})", R"({"name":"a")", R"({name:"a"})",
          R"({"name":"a"]})", R"({"\q":1})", R"({,})", R"({"name":"a","inner":{)"}) {
      CAPTURE(text);
      CHECK(wrong(text) == "sample: expected JSON");
    }
  }

  // JSON.stringify writes none.
  TEST_CASE("take the first of members with the same name") {
    CHECK(read(R"({"name":"a","name":"b"})").name == "a");
  }

  TEST_CASE("are not read deeper than their tables go") {
    constexpr std::size_t kDeep = 1'000'000;
    const std::string deep = std::string(kDeep, '[') + std::string(kDeep, ']');
    CHECK(wrong("other", deep) == "sample.other: no such field");
    CHECK(wrong("names", deep).starts_with("sample.names: expected "));
    std::string objects;
    for (std::size_t depth = 0; depth < kDeep; ++depth) objects += R"({"inner":)";
    CHECK(wrong("inner", objects + "1" + std::string(kDeep, '}')) ==
          "sample.inner.inner: no such field");
  }
}

TEST_SUITE("a link as JSON") {
  TEST_CASE("has details by its kind, also where they come before it") {
    Link link;
    read_json(R"({"details":{"mode":"vepa"},"kind":"macvtap"})", link, kLinkSchema, "link");
    CHECK(text_at(link, kLinkSchema, "details.mode") == "vepa");
    CHECK(written(link, kLinkSchema) == R"({"kind":"macvtap","details":{"mode":"vepa"}})");
  }

  TEST_CASE("has no details without a kind, or of one that is not known") {
    for (const char* text :
         {R"({"details":{"mode":"vepa"}})", R"({"kind":"vlan","details":{"mode":"vepa"}})"}) {
      CAPTURE(text);
      Link link;
      CHECK_THROWS_WITH_AS(read_json(text, link, kLinkSchema, "link"),
                           "link.details: expected an object", WrongJson);
    }
  }
}
