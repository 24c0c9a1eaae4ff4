#include "tests/value.h"

#include <algorithm>
#include <stdexcept>

namespace flintap::tests {
namespace {

const Field& field_of(const Schema& schema, std::string_view name) {
  const Field* field = schema.find(name);
  if (field == nullptr) {
    throw std::runtime_error(std::string(schema.name) + " has no field " + std::string(name));
  }
  return *field;
}

struct ToText {
  std::string operator()(std::monostate) const { return "nothing"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(Text value) const { return std::string(value); }
  std::string operator()(Texts texts) const {
    if (texts.empty()) return "nothing";
    std::vector<std::string> values(texts.begin(), texts.end());
    std::ranges::sort(values);
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
    return text;
  }
  std::string operator()(const Nested& nested) const { return std::string(nested.schema->name); }
};

}  // namespace

std::string text_of(const Value& value) { return std::visit(ToText{}, value); }

std::string text_at(const Record& record, const Schema& schema, std::string_view path) {
  const std::size_t dot = path.find('.');
  const Value value = field_of(schema, path.substr(0, dot)).get(record);
  if (dot == std::string_view::npos) return text_of(value);
  const auto* nested = std::get_if<Nested>(&value);
  return nested == nullptr ? "nothing"
                           : text_at(*nested->record, *nested->schema, path.substr(dot + 1));
}

void set(Record& record, const Schema& schema, std::string_view name, Value value) {
  const std::string text = text_of(value);
  if (!field_of(schema, name).set(record, std::move(value))) {
    throw std::runtime_error(std::string(name) + " does not take " + text);
  }
}

}  // namespace flintap::tests
