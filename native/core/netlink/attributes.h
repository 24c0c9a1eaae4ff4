// Netlink attributes: reading them out of a message and writing them into one.
//
// Knows struct nlattr and nothing of what an attribute means. Readers never look past their span:
// what does not fit is the end, and `malformed` tells.
#pragma once

#include <linux/netlink.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flintap::netlink {

using Bytes = std::span<const std::byte>;

// A plain value as it stands in memory: an integer, or a fixed header such as ifinfomsg.
template <class T>
concept Plain = std::is_trivially_copyable_v<T>;

template <Plain T>
Bytes bytes_of(const T& value) {
  return std::as_bytes(std::span<const T, 1>(&value, 1));
}

// NLA_ALIGN and NLMSG_ALIGN are both this.
constexpr std::size_t aligned(std::size_t length) { return (length + 3U) & ~std::size_t{3}; }

struct Attribute {
  std::uint16_t type = 0;  // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
  Bytes payload;

  // The payload, when it has exactly the width of T.
  template <Plain T>
  [[nodiscard]] std::optional<T> as() const {
    if (payload.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, payload.data(), sizeof value);
    return value;
  }

  // Up to the first NUL, or all of it: kernels before 5.x send some strings without one.
  [[nodiscard]] std::string text() const;
};

// Walks the attributes in a span:  while (auto attribute = reader.next()) …
class AttributeReader {
 public:
  explicit AttributeReader(Bytes bytes) : rest_(bytes) {}
  std::optional<Attribute> next();
  // Bytes were left over that are no attribute.
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  Bytes rest_;
  bool malformed_ = false;
};

// The last attribute of that type, as the kernel's own parser takes it.
std::optional<Attribute> find(Bytes attributes, std::uint16_t type);

// Builds the body of one message: a fixed header, if it has one, then attributes. Throws Failure
// EMSGSIZE for an attribute of more than 65,535 bytes.
class AttributeWriter {
 public:
  AttributeWriter() = default;
  template <Plain Header>
  explicit AttributeWriter(const Header& header) {
    append(bytes_of(header));
  }

  void put(std::uint16_t type, Bytes payload);
  void put_text(std::uint16_t type, std::string_view text);  // with its NUL
  template <Plain T>
  void put_value(std::uint16_t type, const T& value) {
    put(type, bytes_of(value));
  }

  // What `inside` writes becomes the payload of a nested attribute.
  template <std::invocable Inside>
  void nest(std::uint16_t type, Inside inside) {
    const std::size_t at = open(type);
    inside();
    close(at);
  }

  // A fixed header inside an attribute, as VETH_INFO_PEER has it.
  template <Plain Header>
  void put_header(const Header& header) {
    append(bytes_of(header));
  }

  [[nodiscard]] Bytes bytes() const { return body_; }

 private:
  void append(Bytes bytes);
  std::size_t open(std::uint16_t type);
  void close(std::size_t at);

  std::vector<std::byte> body_;
};

}  // namespace flintap::netlink
