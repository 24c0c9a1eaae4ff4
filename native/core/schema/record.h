// Records and the tables that describe them.
//
// A record is a plain struct; its table has one row a field: the name that JavaScript sees, the
// attribute number in netlink, and four functions that follow from the member's type. Encoding,
// decoding, reading back and the conversion to and from JavaScript all walk the same table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/netlink/attributes.h"

namespace flintap {

struct Schema;

struct Record {
  // The attributes no row stands for, or whose payload is not what their row expects: kept as they
  // stand in a message, in one piece, since a link has twenty of them.
  netlink::AttributeWriter unknown;

  Record() = default;
  Record(Record&&) = default;
  Record& operator=(Record&&) = default;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  virtual ~Record() = default;
};

// A record inside another one: borrowed from it when read, owned when it is to be written.
struct Nested {
  const Record* record = nullptr;
  const Schema* schema = nullptr;
  std::unique_ptr<Record> owned = nullptr;
};

// One field's value between a record and whoever walks its table. An unset field is monostate; an
// unsigned 64-bit counter is a bigint in JavaScript, every other integer a number. What is read may
// be borrowed from the record; what is to be written is owned.
using Text = std::string_view;
using Texts = std::span<const std::string>;
using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::string,
                           std::vector<std::string>, Nested, Text, Texts>;

enum class Access : std::uint8_t {
  read_only,   // the kernel's to say
  settable,    // may be asked for, and must read back as asked
  write_only,  // may be asked for; the kernel does not report it, or not in the same form
};

struct Field {
  std::string_view name;
  std::uint16_t number = 0;  // 0: no attribute of its own
  Access access = Access::read_only;
  std::int64_t slack = 0;       // a number may read back as smaller by so much
  bool required = false;        // in a request
  std::string_view expected{};  // what a value must be, for an error's text
  Value (*get)(const Record&) = nullptr;
  bool (*set)(Record&, Value&&) = nullptr;
  bool (*decode)(Record&, const netlink::Attribute&) = nullptr;
  void (*encode)(const Record&, netlink::AttributeWriter&, std::uint16_t number) = nullptr;
  // The table of a nested record; it can depend on its owner, as a link's details do on its kind.
  const Schema* (*nested)(const Record&) = nullptr;
};

// Where the row of an attribute's number is, worked out at compile time: every attribute of every
// link that is read is looked up.
class RowsByNumber {
 public:
  constexpr explicit RowsByNumber(std::span<const Field> fields) {
    for (std::size_t row = fields.size(); row > 0; --row) {
      const std::uint16_t number = fields[row - 1].number;
      if (number != 0) rows_.at(number) = static_cast<std::uint8_t>(row);
    }
  }
  [[nodiscard]] std::optional<std::size_t> find(std::uint16_t number) const {
    if (number >= rows_.size() || rows_[number] == 0) return std::nullopt;
    return rows_[number] - std::size_t{1};
  }

 private:
  std::array<std::uint8_t, 96> rows_{};  // from 1; 0: none has it
};

struct Schema {
  std::string_view name;
  std::span<const Field> fields;
  std::unique_ptr<Record> (*make)() = nullptr;
  RowsByNumber by_number{fields};

  [[nodiscard]] const Field* find(std::uint16_t number) const;
  [[nodiscard]] const Field* find(std::string_view name) const;
};

// Fills the record from attributes; what has no row, or does not fit it, goes to `unknown`.
void decode(Record& record, const Schema& schema, netlink::Bytes attributes);

// Writes every set field that has an attribute and may be asked for.
void encode(const Record& record, const Schema& schema, netlink::AttributeWriter& writer);

struct Mismatch {
  std::string field;
  std::string expected;
  std::string actual;
};

// The first settable field of `wanted` that `actual` does not have in the same way.
std::optional<Mismatch> compare(const Record& wanted, const Record& actual, const Schema& schema);

}  // namespace flintap
