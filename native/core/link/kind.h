// Kinds of links: what stands in a kind's details, and in the port settings of what it is master
// of.
//
// A new kind is one file in kinds/ and its name in registry.cc.
#pragma once

#include <string_view>

#include "core/schema/record.h"

namespace flintap {

struct Kind {
  std::string_view name;            // the kernel's, IFLA_INFO_KIND
  const Schema* details = nullptr;  // IFLA_INFO_DATA
  const Schema* port = nullptr;     // IFLA_INFO_SLAVE_DATA of its ports
};

// Null for a kind that has no file here: its links are still read, with the raw attributes.
const Kind* find_kind(std::string_view name);

}  // namespace flintap
