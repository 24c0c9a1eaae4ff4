// Decoding, encoding and comparing by a table of its own, which has a row of every sort.
#include "core/schema/record.h"

#include <doctest/doctest.h>

#include <array>

#include "core/schema/field.h"
#include "tests/octets.h"
#include "tests/value.h"

using namespace flintap;
using tests::hex;
using tests::octets;
using tests::set;
using tests::text_at;

namespace {

struct InnerSample : Record {
  std::optional<std::uint32_t> depth;
};

constexpr std::array inner_fields{field<&InnerSample::depth>("depth", 1, Access::settable)};
constexpr Schema inner_schema{"inner", inner_fields, make_record<InnerSample>};

struct OtherSample : Record {
  std::optional<std::string> text;
};

constexpr std::array other_fields{field<&OtherSample::text>("text", 1, Access::settable)};
constexpr Schema other_schema{"other", other_fields, make_record<OtherSample>};

struct Sample : Record {
  std::optional<std::uint32_t> count;
  std::optional<std::string> name;
  std::optional<std::vector<std::string>> names;
  std::optional<std::uint32_t> counted;
  std::optional<std::uint32_t> secret;
  std::optional<std::uint32_t> unnumbered;
  std::optional<std::uint32_t> rounded;
  std::unique_ptr<Record> inner;
  bool inner_is_other = false;
};

const Schema* inner_of(const Sample& sample) {
  return sample.inner_is_other ? &other_schema : &inner_schema;
}

// The names in one text, with commas.
struct Names {
  using List = std::vector<std::string>;
  static constexpr std::string_view expected = "a list of names";
  static std::optional<List> decode(const netlink::Attribute& attribute) {
    return List{attribute.text()};
  }
  static void encode(netlink::AttributeWriter& writer, std::uint16_t number, const List& names) {
    for (const std::string& name : names) writer.put_text(number, name);
  }
  static Value to_value(const List& names) { return Texts(names); }
  static std::optional<List> from_value(Value&& value) {
    auto* names = std::get_if<List>(&value);
    return names == nullptr ? std::nullopt : std::optional(std::move(*names));
  }
};

constexpr Field with_slack(Field row) {
  row.slack = 2;
  return row;
}

constexpr std::array sample_fields{
    field<&Sample::count>("count", 1, Access::settable),
    field<&Sample::name>("name", 2, Access::settable),
    field<&Sample::names, Names>("names", 3, Access::settable),
    field<&Sample::counted>("counted", 4),
    field<&Sample::secret>("secret", 5, Access::write_only),
    field<&Sample::unnumbered>("unnumbered", 0, Access::settable),
    with_slack(field<&Sample::rounded>("rounded", 7, Access::settable)),
    nested<&Sample::inner, inner_of>("inner"),
    superseded(6),
};
constexpr Schema schema{"sample", sample_fields, make_record<Sample>};

Sample decoded(std::string_view attributes) {
  Sample sample;
  decode(sample, schema, octets(attributes));
  return sample;
}

std::string encoded(const Sample& sample) {
  netlink::AttributeWriter writer(std::uint32_t{0});
  encode(sample, schema, writer);
  return hex(writer.bytes().subspan(sizeof(std::uint32_t)));
}

std::unique_ptr<InnerSample> inner_with(std::uint32_t depth) {
  auto inner = std::make_unique<InnerSample>();
  inner->depth = depth;
  return inner;
}

// The attributes that have no row.
std::vector<netlink::Attribute> kept(const Record& record) {
  std::vector<netlink::Attribute> attributes;
  netlink::AttributeReader reader(record.unknown.bytes());
  while (auto attribute = reader.next()) attributes.push_back(*attribute);
  return attributes;
}

}  // namespace

TEST_SUITE("decode") {
  TEST_CASE("each attribute fills the field of its number") {
    const Sample sample = decoded("08 00 01 00 07 00 00 00 06 00 02 00 61 00 00 00");
    CHECK(sample.count == 7U);
    CHECK(sample.name == "a");
    CHECK_FALSE(sample.counted);
    CHECK(kept(sample).empty());
  }

  TEST_CASE("an attribute without a row is kept byte for byte, in its order") {
    const Sample sample =
        decoded("07 00 63 00 01 02 03 00 04 00 64 80 08 00 01 00 07 00 00 00 05 00 63 00 ff");
    const auto unknown = kept(sample);
    REQUIRE(unknown.size() == 3);
    CHECK(unknown[0].type == 99);
    CHECK(hex(unknown[0].payload) == "01 02 03");
    CHECK(unknown[1].type == 100);
    CHECK(unknown[1].payload.empty());
    CHECK(hex(unknown[2].payload) == "ff");
    CHECK(sample.count == 7U);
  }

  TEST_CASE("a payload of another width than its row's is kept, and the field stays unset") {
    const Sample sample = decoded("06 00 01 00 07 00 00 00 0c 00 04 00 07 00 00 00 00 00 00 00");
    CHECK_FALSE(sample.count);
    CHECK_FALSE(sample.counted);
    const auto unknown = kept(sample);
    REQUIRE(unknown.size() == 2);
    CHECK(unknown[0].type == 1);
    CHECK(hex(unknown[0].payload) == "07 00");
    CHECK(unknown[1].type == 4);
  }

  // Rows of fields that have no attribute of their own have the number 0.
  TEST_CASE("an attribute of type 0 belongs to no row") {
    const Sample sample = decoded("08 00 00 00 07 00 00 00");
    CHECK_FALSE(sample.unnumbered);
    const auto unknown = kept(sample);
    REQUIRE(unknown.size() == 1);
    CHECK(unknown[0].type == 0);
  }

  TEST_CASE("a superseded attribute is not kept") {
    const Sample sample = decoded("08 00 06 00 07 00 00 00");
    CHECK(kept(sample).empty());
  }

  TEST_CASE("what comes after broken bytes is left out, what came before stays") {
    const Sample sample = decoded("08 00 01 00 07 00 00 00 00 00 02 00 08 00 04 00 07 00 00 00");
    CHECK(sample.count == 7U);
    CHECK_FALSE(sample.counted);
    CHECK(kept(sample).empty());
  }
}

TEST_SUITE("encode") {
  TEST_CASE("an unset field writes nothing") { CHECK(encoded(Sample{}).empty()); }

  TEST_CASE("what may be asked for is written, what only the kernel says is not") {
    Sample sample;
    sample.count = 7;
    sample.counted = 8;
    sample.secret = 9;
    sample.unnumbered = 10;
    sample.inner = inner_with(1);
    CHECK(encoded(sample) == "08 00 01 00 07 00 00 00 08 00 05 00 09 00 00 00");
  }

  TEST_CASE("unknown attributes are the kernel's, and never sent back") {
    CHECK(encoded(decoded("08 00 63 00 07 00 00 00")).empty());
  }
}

TEST_SUITE("compare") {
  TEST_CASE("a record matches itself") {
    Sample sample;
    sample.count = 7;
    sample.name = "a";
    sample.inner = inner_with(1);
    CHECK_FALSE(compare(sample, sample, schema));
    CHECK_FALSE(compare(Sample{}, sample, schema));
  }

  TEST_CASE("the mismatch names the field, what was asked and what is there") {
    Sample wanted;
    wanted.count = 7;
    wanted.name = "a";
    Sample actual;
    actual.count = 7;
    actual.name = "b";
    const auto mismatch = compare(wanted, actual, schema);
    REQUIRE(mismatch);
    CHECK(mismatch->field == "name");
    CHECK(mismatch->expected == "a");
    CHECK(mismatch->actual == "b");
  }

  TEST_CASE("a field that is not there at all is a mismatch") {
    Sample wanted;
    wanted.count = 7;
    const auto mismatch = compare(wanted, Sample{}, schema);
    REQUIRE(mismatch);
    CHECK(mismatch->field == "count");
    CHECK(mismatch->expected == "7");
    CHECK(mismatch->actual == "nothing");
  }

  TEST_CASE("what only the kernel says, and what it does not say, is not compared") {
    Sample wanted;
    wanted.counted = 1;
    wanted.secret = 2;
    CHECK_FALSE(compare(wanted, Sample{}, schema));
  }

  TEST_CASE("a field without an attribute of its own is compared") {
    Sample wanted;
    wanted.unnumbered = 1;
    CHECK(compare(wanted, Sample{}, schema));
  }

  TEST_CASE("a number may read back as smaller by its row's slack, and never as larger") {
    Sample wanted;
    wanted.rounded = 10;
    for (const auto& [value, matches] :
         {std::pair{7U, false}, {8U, true}, {10U, true}, {11U, false}}) {
      CAPTURE(value);
      Sample actual;
      actual.rounded = value;
      CHECK(compare(wanted, actual, schema).has_value() != matches);
    }
  }

  TEST_CASE("lists are sets") {
    Sample wanted;
    Sample actual;
    wanted.names = {"a", "b", "a"};
    actual.names = {"b", "a"};
    CHECK_FALSE(compare(wanted, actual, schema));
    actual.names = {"a", "b", "c"};
    const auto more = compare(wanted, actual, schema);
    REQUIRE(more);
    CHECK(more->expected == "a, b, a");
    CHECK(more->actual == "a, b, c");
    actual.names = {"a", "a"};
    CHECK(compare(wanted, actual, schema));
  }

  // The kernel has no attribute for an empty list.
  TEST_CASE("an empty list is there when there is none") {
    Sample wanted;
    wanted.names.emplace();
    CHECK_FALSE(compare(wanted, Sample{}, schema));
    wanted.names = {"a"};
    CHECK(compare(wanted, Sample{}, schema));
  }

  TEST_CASE("a mismatch inside a nested record is named by its path") {
    Sample wanted;
    Sample actual;
    wanted.inner = inner_with(1);
    actual.inner = inner_with(2);
    const auto mismatch = compare(wanted, actual, schema);
    REQUIRE(mismatch);
    CHECK(mismatch->field == "inner.depth");
    CHECK(mismatch->expected == "1");
    CHECK(mismatch->actual == "2");
  }

  TEST_CASE("a nested record that is not there compares as an empty one") {
    Sample wanted;
    wanted.inner = std::make_unique<InnerSample>();
    CHECK_FALSE(compare(wanted, Sample{}, schema));
    wanted.inner = inner_with(1);
    const auto mismatch = compare(wanted, Sample{}, schema);
    REQUIRE(mismatch);
    CHECK(mismatch->field == "inner.depth");
  }

  // A link's details depend on its kind: read as another kind's, they would be garbage.
  TEST_CASE("a nested record of another table is a mismatch, and is not looked into") {
    Sample wanted;
    wanted.inner = inner_with(1);
    Sample actual;
    actual.inner_is_other = true;
    actual.inner = std::make_unique<OtherSample>();
    const auto mismatch = compare(wanted, actual, schema);
    REQUIRE(mismatch);
    CHECK(mismatch->field == "inner");
    CHECK(mismatch->expected == "inner");
    CHECK(mismatch->actual == "other");
  }
}

TEST_SUITE("table") {
  TEST_CASE("a row is found by its attribute's number and by its name") {
    CHECK(schema.find(std::uint16_t{4})->name == "counted");
    CHECK(schema.find("secret")->number == 5);
    CHECK(schema.find(std::uint16_t{99}) == nullptr);
    CHECK(schema.find("nothing of the kind") == nullptr);
  }

  TEST_CASE("a field is set by its value, or refuses it and keeps what it had") {
    Sample sample;
    set(sample, schema, "count", std::int64_t{7});
    CHECK_FALSE(schema.find("count")->set(sample, std::string("8")));
    CHECK(text_at(sample, schema, "count") == "7");
  }

  TEST_CASE("a nested field takes a record over, and no borrowed one") {
    Sample sample;
    auto inner = inner_with(3);
    const Field& row = *schema.find("inner");
    CHECK_FALSE(row.set(sample, Nested{.record = inner.get(), .schema = &inner_schema}));
    CHECK(row.set(sample,
                  Nested{.record = nullptr, .schema = &inner_schema, .owned = std::move(inner)}));
    CHECK(text_at(sample, schema, "inner.depth") == "3");
  }
}
