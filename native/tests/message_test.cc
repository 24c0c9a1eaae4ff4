#include "core/netlink/message.h"

#include <doctest/doctest.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "tests/fixture.h"
#include "tests/octets.h"

using namespace flintap;
using namespace flintap::netlink;
using tests::fixture;
using tests::hex;
using tests::octets;

namespace {

Request request_with(std::string_view text) {
  AttributeWriter writer(std::uint32_t{0});
  writer.put_text(3, text);
  return {RTM_NEWLINK, NLM_F_CREATE, "create", writer};
}

std::vector<Frame> frames_of(Bytes datagram) {
  std::vector<Frame> frames;
  FrameReader reader(datagram);
  while (auto frame = reader.next()) frames.push_back(*frame);
  return frames;
}

// An NLMSG_ERROR or NLMSG_DONE by hand.
Ack ack_of(std::uint16_t type, std::uint16_t flags, Bytes body) {
  Frame frame;
  frame.header.nlmsg_type = type;
  frame.header.nlmsg_flags = flags;
  frame.body = body;
  return read_ack(frame);
}

}  // namespace

TEST_SUITE("message") {
  TEST_CASE("a request is a message that asks for an ack") {
    std::vector<std::byte> datagram;
    append_message(datagram, request_with("lo"), 0x11223344);
    CHECK(hex(datagram) ==
          "1c 00 00 00 10 00 05 04 44 33 22 11 00 00 00 00 "
          "00 00 00 00 07 00 03 00 6c 6f 00 00");
  }

  TEST_CASE("the requests of a datagram read back one by one") {
    std::vector<std::byte> datagram;
    append_message(datagram, request_with("a"), 1);
    append_message(datagram, request_with("longer"), 2);
    const auto frames = frames_of(datagram);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].header.nlmsg_seq == 1);
    CHECK(frames[1].header.nlmsg_seq == 2);
    const auto name = find(frames[1].body.subspan(sizeof(std::uint32_t)), 3);
    REQUIRE(name);
    CHECK(name->text() == "longer");
  }

  TEST_CASE("a captured dump reads as its links and its end") {
    std::vector<std::uint16_t> types;
    const auto captured = fixture("answer-dump");
    for (const auto& datagram : captured.received) {
      for (const Frame& frame : frames_of(datagram)) types.push_back(frame.header.nlmsg_type);
    }
    CHECK(types == std::vector<std::uint16_t>{RTM_NEWLINK, RTM_NEWLINK, RTM_NEWLINK, NLMSG_DONE});
  }

  TEST_CASE("a datagram ends where a message does not fit") {
    struct Case {
      const char* about;
      const char* bytes;
    };
    for (const auto& [about, bytes] : {
             Case{"nothing", ""},
             Case{"fewer bytes than a header", "10 00 00 00 03 00 00 00 00 00 00 00 00 00 00"},
             Case{"length 0", "00 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00"},
             Case{"a length below the header's", "0f 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00"},
             Case{"a length beyond the end", "11 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00"},
             Case{"the largest length", "ff ff ff ff 03 00 00 00 00 00 00 00 00 00 00 00"},
         }) {
      CAPTURE(about);
      CHECK(frames_of(octets(bytes)).empty());
    }
  }

  TEST_CASE("the last message may come without its padding") {
    const auto datagram = octets("11 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00 07");
    const auto frames = frames_of(datagram);
    REQUIRE(frames.size() == 1);
    CHECK(hex(frames[0].body) == "07");
  }
}

TEST_SUITE("ack") {
  TEST_CASE("a success has no error and no text") {
    const Ack ack = read_ack(received_frame(fixture("answer-success")));
    CHECK(ack.error == 0);
    CHECK(ack.text.empty());
  }

  TEST_CASE("a refusal without text is its errno") {
    const Ack ack = read_ack(received_frame(fixture("answer-refused")));
    CHECK(ack.error == EEXIST);
    CHECK(ack.text.empty());
  }

  TEST_CASE("the kernel's text stands behind the whole request that it repeats") {
    const Ack ack = read_ack(received_frame(fixture("answer-refused-with-text")));
    CHECK(ack.error == EINVAL);
    CHECK(ack.text == "mtu greater than device maximum");
  }

  TEST_CASE("of a capped answer the request's header alone stands before the text") {
    std::vector<Ack> acks;
    const auto captured = fixture("answer-capped");
    for (const auto& datagram : captured.received) {
      for (const Frame& frame : frames_of(datagram)) {
        CHECK((frame.header.nlmsg_flags & NLM_F_CAPPED) != 0);
        acks.push_back(read_ack(frame));
      }
    }
    REQUIRE(acks.size() == 4);
    CHECK(acks[1].error == EINVAL);
    CHECK(acks[1].text == "mtu greater than device maximum");
    for (const std::size_t without_text : {0U, 2U, 3U}) {
      CHECK(acks[without_text].error == ENODEV);
      CHECK(acks[without_text].text.empty());
    }
  }

  TEST_CASE("the end of a dump can be a refusal") {
    const Ack ack = read_ack(received_frame(fixture("answer-dump-refused")));
    CHECK(ack.error == ENOENT);
    CHECK(ack.text == "ipv4: FIB table does not exist");
  }

  TEST_CASE("an answer that is cut off is a broken message") {
    CHECK(ack_of(NLMSG_DONE, 0, {}).error == EBADMSG);
    CHECK(ack_of(NLMSG_DONE, 0, octets("00 00 00")).error == EBADMSG);
    // An NLMSG_ERROR always has the header of the request that it is about.
    CHECK(ack_of(NLMSG_ERROR, NLM_F_CAPPED, octets("00 00 00 00")).error == EBADMSG);
  }

  TEST_CASE("a repeated request that claims to be longer than the answer leaves no text") {
    const auto body = octets(
        "ea ff ff ff "
        "ff ff ff ff 10 00 05 06 02 00 00 00 00 00 00 00 "
        "08 00 01 00 6d 74 75 00");
    const Ack ack = ack_of(NLMSG_ERROR, NLM_F_ACK_TLVS, body);
    CHECK(ack.error == EINVAL);
    CHECK(ack.text.empty());
  }

  TEST_CASE("without its flag, what stands behind the request is no text") {
    const auto body = octets(
        "ea ff ff ff "
        "10 00 00 00 10 00 05 06 02 00 00 00 00 00 00 00 "
        "08 00 01 00 6d 74 75 00");
    CHECK(ack_of(NLMSG_ERROR, NLM_F_CAPPED, body).text.empty());
    CHECK(ack_of(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, body).text == "mtu");
  }

  TEST_CASE("the least of all numbers is still an error") {
    CHECK(ack_of(NLMSG_DONE, 0, octets("00 00 00 80")).error != 0);
  }
}
