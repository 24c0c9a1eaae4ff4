// What holds for every row of every table: a field that can be set reads back as it was asked for.
// A new attribute or kind is covered by standing in its table.
#include <doctest/doctest.h>

#include <array>

#include "core/link/kind.h"
#include "core/link/link.h"
#include "tests/value.h"

using namespace flintap;
using tests::text_of;

namespace {

constexpr std::array<std::string_view, 4> kKinds{"bridge", "macvtap", "tun", "veth"};

// Every table whose fields stand in a message one after the other.
std::vector<const Schema*> tables() {
  std::vector<const Schema*> all{&kLinkSchema};
  for (const std::string_view name : kKinds) {
    const Kind* kind = find_kind(name);
    REQUIRE(kind != nullptr);
    for (const Schema* schema : {kind->details, kind->port}) {
      if (schema != nullptr) all.push_back(schema);
    }
  }
  return all;
}

// A value of each sort that a field may be of; the names are one of every enumeration's.
std::vector<Value> samples() {
  std::vector<Value> values;
  values.emplace_back(true);
  values.emplace_back(std::int64_t{1234});
  values.emplace_back(std::int64_t{12});
  values.emplace_back(std::string("02:00:5e:10:00:01"));
  for (const char* name : {"passthru", "tun", "some text"}) values.emplace_back(std::string(name));
  values.emplace_back(std::vector<std::string>{"02:00:00:00:00:0a", "02:00:00:00:00:0b"});
  return values;
}

bool set_to_some_sample(Record& record, const Field& field) {
  for (Value& value : samples()) {
    if (field.set(record, std::move(value))) return true;
  }
  return false;
}

std::unique_ptr<Record> read_back(const Record& record, const Schema& schema) {
  netlink::AttributeWriter writer(std::uint32_t{0});
  encode(record, schema, writer);
  auto actual = schema.make();
  decode(*actual, schema, writer.bytes().subspan(sizeof(std::uint32_t)));
  return actual;
}

bool goes_over_the_wire(const Field& field) {
  return field.access == Access::settable && field.number != 0;
}

}  // namespace

TEST_SUITE("kinds") {
  TEST_CASE("every settable field reads back as it was asked for") {
    for (const Schema* schema : tables()) {
      for (const Field& field : schema->fields) {
        if (!goes_over_the_wire(field)) continue;
        CAPTURE(schema->name);
        CAPTURE(field.name);
        const auto wanted = schema->make();
        REQUIRE(set_to_some_sample(*wanted, field));
        const auto actual = read_back(*wanted, *schema);
        CHECK(text_of(field.get(*actual)) == text_of(field.get(*wanted)));
        CHECK_FALSE(compare(*wanted, *actual, *schema));
      }
    }
  }

  TEST_CASE("all settable fields of a table go together") {
    for (const Schema* schema : tables()) {
      CAPTURE(schema->name);
      const auto wanted = schema->make();
      for (const Field& field : schema->fields) {
        if (goes_over_the_wire(field)) REQUIRE(set_to_some_sample(*wanted, field));
      }
      CHECK_FALSE(compare(*wanted, *read_back(*wanted, *schema), *schema));
    }
  }

  TEST_CASE("no two rows of a table have the same name or the same attribute") {
    for (const Schema* schema : tables()) {
      for (const Field& field : schema->fields) {
        CAPTURE(schema->name);
        CAPTURE(field.name);
        if (field.number != 0) CHECK(schema->find(field.number) == &field);
        if (!field.name.empty()) CHECK(schema->find(field.name) == &field);
      }
    }
  }

  TEST_CASE("a kind is found by the kernel's name for it") {
    for (const std::string_view name : kKinds) CHECK(find_kind(name)->name == name);
    CHECK(find_kind("vxlan") == nullptr);
    CHECK(find_kind("") == nullptr);
    CHECK(find_kind("macvta") == nullptr);
  }

  TEST_CASE("a macvtap's sources are addresses, whatever their case") {
    const Schema& schema = *find_kind("macvtap")->details;
    const auto details = schema.make();
    const Field& sources = *schema.find("sourceMacs");
    const auto list = [](const char* text) { return std::vector<std::string>{text}; };
    CHECK_FALSE(sources.set(*details, list("02:00:00:00:00")));
    CHECK(sources.set(*details, list("02:00:00:00:00:AB")));
    CHECK(text_of(sources.get(*details)) == "02:00:00:00:00:ab");
  }
}
