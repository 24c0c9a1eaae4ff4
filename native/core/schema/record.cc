#include "core/schema/record.h"

#include <algorithm>
#include <set>

namespace flintap {
namespace {

struct Describe {
  std::string operator()(std::monostate) const { return "nothing"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(std::string_view value) const { return std::string(value); }
  std::string operator()(Texts values) const {
    std::string text;
    for (const std::string& value : values) {
      if (!text.empty()) text += ", ";
      text += value;
    }
    return text.empty() ? "nothing" : text;
  }
  std::string operator()(const Nested& nested) const { return std::string(nested.schema->name); }
};

std::string describe(const Value& value) { return std::visit(Describe{}, value); }
std::string describe(const Nested& nested) { return Describe{}(nested); }

// Lists are sets to the kernel: it gives them back in an order of its own, each entry once, and
// leaves an empty one out.
std::set<std::string_view> as_set(const Value& value) {
  const auto* texts = std::get_if<Texts>(&value);
  return texts == nullptr ? std::set<std::string_view>()
                          : std::set<std::string_view>(texts->begin(), texts->end());
}

// The kernel says nothing of a text that was cleared, such as an alias.
bool is_empty_text(const Value& value) {
  const auto* text = std::get_if<Text>(&value);
  return text != nullptr && text->empty();
}

bool same(const Value& left, const Value& right, std::int64_t slack) {
  if (std::holds_alternative<Texts>(left)) return as_set(left) == as_set(right);
  if (is_empty_text(left) && std::holds_alternative<std::monostate>(right)) return true;
  if (left.index() != right.index()) return false;
  if (const auto* asked = std::get_if<std::int64_t>(&left)) {
    const std::int64_t there = std::get<std::int64_t>(right);
    return there <= *asked && *asked - there <= slack;
  }
  return std::visit(
      [&right]<class T>(const T& value) {
        if constexpr (std::is_same_v<T, Nested> || std::is_same_v<T, Texts>) {
          return false;
        } else {
          return value == std::get<T>(right);
        }
      },
      left);
}

// A nested record that is not there at all compares as an empty one. One of another table, such as
// the details of another kind of link, can't be looked into.
std::optional<Mismatch> compare_nested(const Field& field, const Nested& wanted,
                                       const Value& actual) {
  const auto* there = std::get_if<Nested>(&actual);
  if (there != nullptr && there->schema != wanted.schema) {
    return Mismatch{std::string(field.name), describe(wanted), describe(*there)};
  }
  const auto empty = wanted.schema->make();
  auto mismatch =
      compare(*wanted.record, there == nullptr ? *empty : *there->record, *wanted.schema);
  if (mismatch) mismatch->field = std::string(field.name) + "." + mismatch->field;
  return mismatch;
}

}  // namespace

const Field* Schema::find(std::uint16_t number) const {
  const auto row = by_number.find(number);
  return row ? &fields[*row] : nullptr;
}

const Field* Schema::find(std::string_view wanted) const {
  const auto found = std::ranges::find(fields, wanted, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

void decode(Record& record, const Schema& schema, netlink::Bytes attributes) {
  netlink::AttributeReader reader(attributes);
  while (auto attribute = reader.next()) {
    const Field* field = schema.find(attribute->type);
    if (field != nullptr && field->decode != nullptr && field->decode(record, *attribute)) continue;
    record.unknown.put(attribute->type, attribute->payload);
  }
}

void encode(const Record& record, const Schema& schema, netlink::AttributeWriter& writer) {
  for (const Field& field : schema.fields) {
    if (field.number != 0 && field.access != Access::read_only && field.encode != nullptr) {
      field.encode(record, writer, field.number);
    }
  }
}

std::optional<Mismatch> compare(const Record& wanted, const Record& actual, const Schema& schema) {
  for (const Field& field : schema.fields) {
    if (field.access != Access::settable) continue;
    const Value asked = field.get(wanted);
    if (std::holds_alternative<std::monostate>(asked)) continue;
    const Value there = field.get(actual);
    if (const auto* nested = std::get_if<Nested>(&asked)) {
      if (auto mismatch = compare_nested(field, *nested, there)) return mismatch;
    } else if (!same(asked, there, field.slack)) {
      return Mismatch{std::string(field.name), describe(asked), describe(there)};
    }
  }
  return std::nullopt;
}

}  // namespace flintap
