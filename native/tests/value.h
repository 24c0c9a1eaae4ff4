// Fields by their path ("details.mode") and values as text, the way the fixtures write them.
#pragma once

#include <string>
#include <string_view>

#include "core/schema/record.h"

namespace flintap::tests {

// A list's entries are sorted: it is a set. "nothing" for an empty one and a field that is unset.
std::string text_of(const Value& value);

// Throws std::runtime_error when the table has no such field.
std::string text_at(const Record& record, const Schema& schema, std::string_view path);

// Sets a field, or throws std::runtime_error when it does not take the value.
void set(Record& record, const Schema& schema, std::string_view name, Value value);

}  // namespace flintap::tests
