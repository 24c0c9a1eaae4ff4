// Records as JSON and JSON as records, by the records' tables.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/json/json_writer.h"
#include "core/schema/record.h"

namespace flintap {

// Whether attributes without a row become the member `unknown`: as they stand in a message, in
// base64. Of a link there are twenty, a good fifth of what it says.
enum class Unknown : std::uint8_t { left_out, given };

void write_json(JsonWriter& json, const Record& record, const Schema& schema,
                Unknown unknown = Unknown::left_out);

// A text that is not what a table says.
struct WrongJson : std::runtime_error {
  using std::runtime_error::runtime_error;  // the field, and what it had to be
};

// Fills a record from an object. Throws WrongJson; `path` is what the object is called.
void read_json(std::string_view text, Record& record, const Schema& schema,
               const std::string& path);

}  // namespace flintap
