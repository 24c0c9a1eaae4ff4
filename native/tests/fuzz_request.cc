// Feeds any text to what reads requests, by the table of every operation. Run it by
// scripts/fuzz.mjs.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json/json_reader.h"
#include "core/json/record_json.h"
#include "core/operations/operation.h"

using namespace flintap;

namespace {

constexpr std::array<std::string_view, 20> kNames{
    "createMacvtap",    "createTap",
    "createBridge",     "createVeth",
    "attachToBridge",   "deleteLink",
    "detachFromBridge", "getLink",
    "listLinks",        "openMacvtap",
    "openTap",          "closeQueue",
    "describeHost",     "NetworkNamespace.open",
    "moveLink",         "setLink",
    "findLinks",        "getPlace",
    "requireUnheld",    "claimName",
};

void read_request(std::string_view text, std::string_view name) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) std::abort();
  const auto request = operation->request->make();
  try {
    read_json(text, *request, *operation->request, std::string(name));
  } catch (const WrongJson&) {
    return;
  }
  // What was read is written, and what was written is JSON.
  JsonWriter json;
  write_json(json, *request, *operation->request);
  JsonReader written(json.text());
  if (!written.raw() || !written.is_at_end()) std::abort();
}

// Every read takes something, so that there are no more of them than characters.
void read_values(std::string_view text) {
  JsonReader json(text);
  std::size_t reads = 0;
  while (json.string() || json.number() || json.boolean() ||
         std::ranges::any_of(std::string_view(",:{}[]"), [&](char c) { return json.take(c); })) {
    if (++reads > text.size()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view name : kNames) read_request(text, name);
  read_values(text);
  return 0;
}
