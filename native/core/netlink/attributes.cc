#include "core/netlink/attributes.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "core/failure.h"

namespace flintap::netlink {

std::string Attribute::text() const {
  const auto* begin = reinterpret_cast<const char*>(payload.data());
  return {begin, std::find(begin, begin + payload.size(), '\0')};
}

std::optional<Attribute> AttributeReader::next() {
  if (rest_.empty()) return std::nullopt;
  nlattr header{};
  if (rest_.size() >= sizeof header) std::memcpy(&header, rest_.data(), sizeof header);
  if (header.nla_len < sizeof header || header.nla_len > rest_.size()) {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }
  Attribute attribute{
      .type = static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
      .payload = rest_.subspan(sizeof header, header.nla_len - sizeof header),
  };
  rest_ = rest_.subspan(std::min(aligned(header.nla_len), rest_.size()));
  return attribute;
}

std::optional<Attribute> find(Bytes attributes, std::uint16_t type) {
  std::optional<Attribute> found;
  AttributeReader reader(attributes);
  while (auto attribute = reader.next()) {
    if (attribute->type == type) found = attribute;
  }
  return found;
}

void AttributeWriter::put(std::uint16_t type, Bytes payload) {
  const std::size_t at = open(type);
  append(payload);
  close(at);
}

void AttributeWriter::put_text(std::uint16_t type, std::string_view text) {
  const std::size_t at = open(type);
  append(std::as_bytes(std::span(text)));
  body_.push_back(std::byte{0});
  close(at);
}

void AttributeWriter::append(Bytes bytes) { body_.insert(body_.end(), bytes.begin(), bytes.end()); }

std::size_t AttributeWriter::open(std::uint16_t type) {
  const std::size_t at = body_.size();
  append(bytes_of(nlattr{.nla_len = 0, .nla_type = type}));
  return at;
}

void AttributeWriter::close(std::size_t at) {
  const std::size_t whole = body_.size() - at;
  // A length cut off to 16 bits would have the kernel take the rest for further attributes.
  if (whole > std::numeric_limits<std::uint16_t>::max()) {
    throw Failure(EMSGSIZE, reason::kernel, "write an attribute");
  }
  const auto length = static_cast<std::uint16_t>(whole);
  std::memcpy(body_.data() + at, &length, sizeof length);
  body_.resize(at + aligned(whole));
}

}  // namespace flintap::netlink
