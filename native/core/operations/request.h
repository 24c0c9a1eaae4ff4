// Rows that requests have in common.
#pragma once

#include <memory>

#include "core/link/kind.h"
#include "core/link/link.h"
#include "core/link/requests.h"
#include "core/operations/operation.h"
#include "core/schema/field.h"

namespace flintap {

template <class Request>
const Schema* reference_schema(const Request&) {
  return &kReferenceSchema;
}

template <class Request>
const Schema* link_schema(const Request&) {
  return &kLinkSchema;
}

template <class Request>
const Schema* bridge_port_schema(const Request&) {
  return find_kind("bridge")->port;
}

template <auto Member>
constexpr Field reference_option(std::string_view name) {
  return nested<Member, reference_schema<detail::Owner<Member>>>(name, Access::write_only);
}

template <auto Member>
constexpr Field link_option(std::string_view name) {
  return required(nested<Member, link_schema<detail::Owner<Member>>>(name, Access::write_only));
}

template <auto Member>
constexpr Field bridge_port_option(std::string_view name) {
  return nested<Member, bridge_port_schema<detail::Owner<Member>>>(name, Access::write_only);
}

}  // namespace flintap
