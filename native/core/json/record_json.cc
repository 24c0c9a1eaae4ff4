#include "core/json/record_json.h"

#include <algorithm>

#include "core/json/json_reader.h"

namespace flintap {
namespace {

struct WriteValue {
  JsonWriter& json;
  Unknown unknown;

  void operator()(std::monostate) const {}
  void operator()(bool value) const { json.value(value); }
  void operator()(std::int64_t value) const { json.value(value); }
  // As text: JavaScript's numbers hold 53 bits of it.
  void operator()(std::uint64_t value) const {
    json.value(std::string_view(std::to_string(value)));
  }
  void operator()(Text value) const { json.value(value); }
  void operator()(Texts values) const {
    json.begin_array();
    for (const std::string& value : values) json.value(Text(value));
    json.end_array();
  }
  void operator()(const Nested& nested) const {
    write_json(json, *nested.record, *nested.schema, unknown);
  }
};

[[noreturn]] void refuse(const std::string& path, std::string_view expected) {
  throw WrongJson(path + ": expected " + std::string(expected));
}

std::string member_of(const std::string& path, std::string_view name) {
  return std::string(path).append(".").append(name);
}

// What is no whole number stays unset, and the field's own shape refuses it.
Value read_number(JsonReader& json) {
  const auto number = json.whole_number();
  return number ? Value(*number) : Value{};
}

Value read_list(JsonReader& json) {
  std::vector<std::string> list;
  if (!json.take('[')) return {};
  while (!json.is_next(']')) {
    auto entry = json.string();
    if (!entry || !(json.take(',') || json.is_next(']'))) return {};
    list.push_back(std::move(*entry));
  }
  json.take(']');
  return list;
}

Value read_plain(std::string_view text) {
  JsonReader json(text);
  Value value;
  if (json.is_next('"')) {
    if (auto string = json.string()) value = std::move(*string);
  } else if (json.is_next('[')) {
    value = read_list(json);
  } else if (const auto truth = json.boolean()) {
    value = *truth;
  } else {
    value = read_number(json);
  }
  return json.is_at_end() ? std::move(value) : Value{};
}

Value read_value(std::string_view text, const Field& field, const Record& owner,
                 const std::string& path) {
  if (JsonReader(text).is_next('{')) {
    const Schema* schema = field.nested == nullptr ? nullptr : field.nested(owner);
    if (schema == nullptr) return {};
    auto record = schema->make();
    read_json(text, *record, *schema, path);
    return Nested{.record = nullptr, .schema = schema, .owned = std::move(record)};
  }
  return read_plain(text);
}

struct Member {
  const Field* field;
  std::string_view text;  // of its value
};

std::vector<Member> read_members(std::string_view text, const Schema& schema,
                                 const std::string& path) {
  JsonReader json(text);
  std::vector<Member> members;
  if (!json.take('{')) refuse(path, "an object");
  while (!json.take('}')) {
    const auto name = json.string();
    const auto value = name && json.take(':') ? json.raw() : std::nullopt;
    if (!value || !(json.take(',') || json.is_next('}'))) refuse(path, "JSON");
    const Field* field = schema.find(std::string_view(*name));
    if (field == nullptr || field->set == nullptr || field->access == Access::read_only) {
      throw WrongJson(member_of(path, *name) + ": no such field");
    }
    members.push_back({.field = field, .text = *value});
  }
  if (!json.is_at_end()) refuse(path, "JSON");
  return members;
}

}  // namespace

void write_json(JsonWriter& json, const Record& record, const Schema& schema, Unknown unknown) {
  json.begin_object();
  for (const Field& field : schema.fields) {
    if (field.get == nullptr) continue;
    const Value value = field.get(record);
    if (std::holds_alternative<std::monostate>(value)) continue;
    json.key(field.name);
    std::visit(WriteValue{.json = json, .unknown = unknown}, value);
  }
  if (const auto bytes = record.unknown.bytes(); unknown == Unknown::given && !bytes.empty()) {
    json.key("unknown");
    json.base64(bytes);
  }
  json.end_object();
}

void read_json(std::string_view text, Record& record, const Schema& schema,
               const std::string& path) {
  const auto members = read_members(text, schema, path);
  // In the table's order: a link's kind comes before the details that depend on it.
  for (const Field& field : schema.fields) {
    if (field.set == nullptr) continue;
    const auto given = std::ranges::find(members, &field, &Member::field);
    if (given == members.end()) {
      if (field.required) refuse(member_of(path, field.name), field.expected);
      continue;
    }
    const std::string member = member_of(path, field.name);
    if (!field.set(record, read_value(given->text, field, record, member))) {
      refuse(member, field.expected);
    }
  }
}

}  // namespace flintap
