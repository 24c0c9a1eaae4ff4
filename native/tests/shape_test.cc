#include "core/schema/shape.h"

#include <doctest/doctest.h>

#include "core/link/link.h"
#include "tests/octets.h"

using namespace flintap;
using tests::hex;
using tests::octets;

namespace {

template <class T>
std::string encoded(const T& value) {
  netlink::AttributeWriter writer(std::uint32_t{0});
  Shape<T>::encode(writer, 9, value);
  return hex(writer.bytes().subspan(sizeof(std::uint32_t)));
}

template <class T>
std::optional<T> decoded(std::string_view payload) {
  const auto bytes = octets(payload);
  return Shape<T>::decode({.type = 9, .payload = bytes});
}

}  // namespace

TEST_SUITE("shape") {
  TEST_CASE("an integer takes only numbers in its range") {
    CHECK(Shape<std::uint16_t>::from_value(std::int64_t{65535}) == std::uint16_t{65535});
    CHECK_FALSE(Shape<std::uint16_t>::from_value(std::int64_t{65536}));
    CHECK_FALSE(Shape<std::uint16_t>::from_value(std::int64_t{-1}));
    CHECK(Shape<std::int32_t>::from_value(std::int64_t{-1}) == -1);
    CHECK_FALSE(Shape<std::uint32_t>::from_value(std::string("7")));
    CHECK_FALSE(Shape<std::uint32_t>::from_value(true));
    CHECK_FALSE(Shape<std::uint32_t>::from_value({}));
    CHECK(Shape<std::uint64_t>::from_value(std::uint64_t{1} << 63U) == std::uint64_t{1} << 63U);
  }

  TEST_CASE("an integer goes out in its own width, in the machine's order") {
    CHECK(encoded<std::uint8_t>(1) == "05 00 09 00 01 00 00 00");
    CHECK(encoded<std::uint16_t>(1) == "06 00 09 00 01 00 00 00");
    CHECK(encoded<std::uint32_t>(1) == "08 00 09 00 01 00 00 00");
    CHECK(encoded<std::int32_t>(-1) == "08 00 09 00 ff ff ff ff");
    CHECK(encoded<std::uint64_t>(1) == "0c 00 09 00 01 00 00 00 00 00 00 00");
  }

  TEST_CASE("a boolean is a byte going out, and a byte or 32 bits coming in") {
    CHECK(encoded(true) == "05 00 09 00 01 00 00 00");
    CHECK(decoded<bool>("01") == true);
    CHECK(decoded<bool>("00") == false);
    CHECK(decoded<bool>("00 00 00 01") == true);
    CHECK_FALSE(decoded<bool>("01 00"));
    CHECK_FALSE(decoded<bool>(""));
    CHECK_FALSE(Shape<bool>::from_value(std::int64_t{1}));
  }

  TEST_CASE("a wide boolean goes out in 32 bits") {
    netlink::AttributeWriter writer(std::uint32_t{0});
    WideBool::encode(writer, 5, true);
    CHECK(hex(writer.bytes().subspan(4)) == "08 00 05 00 01 00 00 00");
  }

  TEST_CASE("a text with a NUL inside is none, since the kernel would stop there") {
    CHECK(Shape<std::string>::from_value(std::string("a b")) == "a b");
    CHECK_FALSE(Shape<std::string>::from_value(std::string("a\0b", 3)));
    CHECK_FALSE(Shape<std::string>::from_value(std::int64_t{1}));
  }

  TEST_CASE("an enumeration has names here, and its number on the wire") {
    CHECK(encoded(HostIpv6::open) == "05 00 09 00 02 00 00 00");
    CHECK(decoded<HostIpv6>("01") == HostIpv6::reduced);
    CHECK_FALSE(decoded<HostIpv6>("03"));
    CHECK_FALSE(decoded<HostIpv6>("01 00 00 00"));
    CHECK(Shape<HostIpv6>::from_value(std::string("closed")) == HostIpv6::closed);
    CHECK_FALSE(Shape<HostIpv6>::from_value(std::string("Closed")));
    CHECK(std::get<Text>(Shape<HostIpv6>::to_value(HostIpv6::open)) == "open");
    CHECK(std::holds_alternative<std::monostate>(
        Shape<HostIpv6>::to_value(static_cast<HostIpv6>(9))));
  }
}

TEST_SUITE("hardware address") {
  TEST_CASE("it is written in lower case, with colons") {
    const auto address = HardwareAddress::parse("02:00:5E:10:aB:01");
    REQUIRE(address);
    CHECK(address->octets == std::string("\x02\x00\x5e\x10\xab\x01", 6));
    CHECK(address->format() == "02:00:5e:10:ab:01");
  }

  TEST_CASE("six octets with colons are one, anything else is none") {
    for (const char* text :
         {"", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "02-00-5e-10-00-01", "020:05e:10:00:01",
          "02:00:5e:10:00:0g", " 2:00:5e:10:00:01", "02:00:5e:10:00:01 ", "+2:00:5e:10:00:01",
          "0200.5e10.0001.00", "02:00:5e:10:00-01", ":2:00:5e:10:00:01"}) {
      CAPTURE(text);
      CHECK_FALSE(HardwareAddress::parse(text));
    }
  }

  TEST_CASE("on the wire it is its octets") {
    CHECK(encoded(*HardwareAddress::parse("02:00:5e:10:00:01")) ==
          "0a 00 09 00 02 00 5e 10 00 01 00 00");
    const auto infiniband = decoded<HardwareAddress>("80 00 00 48 fe 80 00 00 00 01");
    REQUIRE(infiniband);
    CHECK(infiniband->format() == "80:00:00:48:fe:80:00:00:00:01");
    CHECK(decoded<HardwareAddress>("")->format().empty());
  }

  TEST_CASE("unicast is six octets, without the group bit, not all zero") {
    CHECK(HardwareAddress::parse("02:00:5e:10:00:01")->is_unicast());
    CHECK(HardwareAddress::parse("00:00:00:00:00:01")->is_unicast());
    CHECK_FALSE(HardwareAddress::parse("00:00:00:00:00:00")->is_unicast());
    CHECK_FALSE(HardwareAddress::parse("01:00:5e:00:00:01")->is_unicast());
    CHECK_FALSE(HardwareAddress::parse("ff:ff:ff:ff:ff:ff")->is_unicast());
    CHECK_FALSE(HardwareAddress{.octets = "\x02"}.is_unicast());
    CHECK_FALSE(HardwareAddress{}.is_unicast());
  }
}
