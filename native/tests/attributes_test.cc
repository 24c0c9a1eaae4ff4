#include "core/netlink/attributes.h"

#include <doctest/doctest.h>

#include "core/failure.h"
#include "tests/octets.h"

using namespace flintap;
using namespace flintap::netlink;
using tests::hex;
using tests::octets;

namespace {

struct Header {
  std::uint32_t number;
};

AttributeWriter after_header() { return AttributeWriter(Header{.number = 0xAABBCCDD}); }

constexpr std::size_t kLongestPayload = 0xFFFF - sizeof(nlattr);

}  // namespace

TEST_SUITE("attributes") {
  TEST_CASE("an attribute is its length, its type, its payload and its padding") {
    AttributeWriter writer = after_header();
    writer.put_value(7, std::uint16_t{0x0102});
    CHECK(hex(writer.bytes()) == "dd cc bb aa 06 00 07 00 02 01 00 00");
  }

  TEST_CASE("a text goes out with its NUL, and the length counts it") {
    AttributeWriter writer = after_header();
    writer.put_text(3, "lo");
    writer.put_text(3, "");
    CHECK(hex(writer.bytes()) == "dd cc bb aa 07 00 03 00 6c 6f 00 00 05 00 03 00 00 00 00 00");
  }

  TEST_CASE("a nested attribute's length covers what is in it, the padding too") {
    AttributeWriter writer = after_header();
    writer.nest(18, [&] {
      writer.put_value(1, std::uint8_t{9});
      writer.nest(2, [&] { writer.put_value(1, std::uint32_t{4}); });
    });
    writer.put_value(5, std::uint8_t{1});
    CHECK(hex(writer.bytes()) ==
          "dd cc bb aa "
          "18 00 12 00 "
          "05 00 01 00 09 00 00 00 "
          "0c 00 02 00 08 00 01 00 04 00 00 00 "
          "05 00 05 00 01 00 00 00");
  }

  TEST_CASE("a nested attribute can be empty, and can begin with a header") {
    AttributeWriter writer = after_header();
    writer.nest(18, [] {});
    writer.nest(1, [&] {
      writer.put_header(Header{.number = 1});
      writer.put_value(4, std::uint32_t{1500});
    });
    CHECK(hex(writer.bytes()) ==
          "dd cc bb aa 04 00 12 00 "
          "10 00 01 00 01 00 00 00 08 00 04 00 dc 05 00 00");
  }

  TEST_CASE("the longest payload still fits") {
    AttributeWriter writer = after_header();
    writer.put(9, Bytes(std::vector<std::byte>(kLongestPayload)));
    AttributeReader reader(writer.bytes().subspan(sizeof(Header)));
    const auto attribute = reader.next();
    REQUIRE(attribute);
    CHECK(attribute->payload.size() == kLongestPayload);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.malformed());
  }

  // A length that wrapped around would have the kernel take the rest of the payload for attributes.
  TEST_CASE("a payload that is too long for its length field is refused") {
    AttributeWriter writer = after_header();
    CHECK_THROWS_AS(writer.put_text(20, std::string(kLongestPayload, 'x')), Failure);
    AttributeWriter nested = after_header();
    const auto nest_too_much = [&] {
      nested.nest(18, [&] {
        for (int times = 0; times < 2; ++times) {
          nested.put(1, Bytes(std::vector<std::byte>(kLongestPayload / 2)));
        }
      });
    };
    CHECK_THROWS_AS(nest_too_much(), Failure);
  }

  TEST_CASE("what was written reads back, without the flags of its type") {
    AttributeWriter writer = after_header();
    writer.nest(52 | NLA_F_NESTED, [&] { writer.put_text(53, "second"); });
    writer.put_value(4 | NLA_F_NET_BYTEORDER, std::uint32_t{1500});
    AttributeReader reader(writer.bytes().subspan(sizeof(Header)));
    const auto list = reader.next();
    REQUIRE(list);
    CHECK(list->type == 52);
    const auto name = AttributeReader(list->payload).next();
    REQUIRE(name);
    CHECK(name->type == 53);
    CHECK(name->text() == "second");
    const auto mtu = reader.next();
    REQUIRE(mtu);
    CHECK(mtu->type == 4);
    CHECK(mtu->as<std::uint32_t>() == 1500U);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.malformed());
  }

  TEST_CASE("a value has exactly the width of its type, or it is none") {
    const auto two = octets("01 02");
    const Attribute attribute{.type = 1, .payload = two};
    CHECK(attribute.as<std::uint16_t>() == 0x0201);
    CHECK_FALSE(attribute.as<std::uint8_t>());
    CHECK_FALSE(attribute.as<std::uint32_t>());
    CHECK_FALSE(Attribute{}.as<std::uint8_t>());
  }

  TEST_CASE("a text ends at its first NUL, or with its payload") {
    const auto with_nul = octets("65 6e 70 00 30");
    CHECK(Attribute{.type = 3, .payload = with_nul}.text() == "enp");
    const auto without = octets("65 6e 70");
    CHECK(Attribute{.type = 3, .payload = without}.text() == "enp");
    CHECK(Attribute{}.text().empty());
  }

  TEST_CASE("a reader stops at what is no attribute, and tells") {
    struct Case {
      const char* about;
      const char* bytes;
    };
    for (const auto& [about, bytes] : {
             Case{"fewer bytes than a header", "08 00 01"},
             Case{"length 0", "00 00 01 00 01 02 03 04"},
             Case{"a length that does not cover its own header", "03 00 01 00 01 02 03 04"},
             Case{"a length beyond the end", "09 00 01 00 01 02 03 04"},
             Case{"the largest length", "ff ff 01 00 01 02 03 04"},
         }) {
      CAPTURE(about);
      const auto good = octets("05 00 02 00 07 00 00 00");
      auto all = good;
      const auto bad = octets(bytes);
      all.insert(all.end(), bad.begin(), bad.end());
      AttributeReader reader(all);
      const auto first = reader.next();
      REQUIRE(first);
      CHECK(first->as<std::uint8_t>() == 7);
      CHECK_FALSE(reader.malformed());
      CHECK_FALSE(reader.next());
      CHECK(reader.malformed());
      CHECK_FALSE(reader.next());
    }
  }

  TEST_CASE("the last attribute may come without its padding") {
    const auto bytes = octets("05 00 02 00 07");
    AttributeReader reader(bytes);
    const auto attribute = reader.next();
    REQUIRE(attribute);
    CHECK(attribute->as<std::uint8_t>() == 7);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.malformed());
  }

  TEST_CASE("nothing reads as nothing") {
    AttributeReader reader({});
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.malformed());
    CHECK_FALSE(find({}, 1));
  }

  TEST_CASE("of two attributes of a type, the last one counts") {
    const auto bytes = octets("05 00 02 00 07 00 00 00 05 00 02 00 08 00 00 00 05 00 03 00 09");
    const auto found = find(bytes, 2);
    REQUIRE(found);
    CHECK(found->as<std::uint8_t>() == 8);
    CHECK_FALSE(find(bytes, 4));
  }
}
