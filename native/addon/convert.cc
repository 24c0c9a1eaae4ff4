#include "addon/convert.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <string>

#include "core/devices/open_queues.h"

namespace flintap::addon {
namespace {

Napi::String text(Napi::Env env, std::string_view value) {
  return Napi::String::New(env, value.data(), value.size());
}

Napi::Array texts(Napi::Env env, const std::vector<std::string>& values) {
  const auto array = Napi::Array::New(env, values.size());
  for (std::uint32_t at = 0; at < values.size(); ++at) array.Set(at, text(env, values[at]));
  return array;
}

struct ToJs {
  Napi::Env env;

  Napi::Value operator()(std::monostate) const { return env.Undefined(); }
  Napi::Value operator()(bool value) const { return Napi::Boolean::New(env, value); }
  Napi::Value operator()(std::int64_t value) const {
    return Napi::Number::New(env, static_cast<double>(value));
  }
  Napi::Value operator()(std::uint64_t value) const { return Napi::BigInt::New(env, value); }
  Napi::Value operator()(const std::string& value) const { return text(env, value); }
  Napi::Value operator()(const std::vector<std::string>& values) const {
    return texts(env, values);
  }
  Napi::Value operator()(const Nested& nested) const {
    return to_js(env, *nested.record, *nested.schema);
  }
};

// One array for all of them: a link has twenty, and hardly anybody reads one.
Napi::Uint8Array unknown_to_js(Napi::Env env, const std::vector<RawAttribute>& attributes) {
  netlink::AttributeWriter writer;
  for (const RawAttribute& attribute : attributes) writer.put(attribute.type, attribute.data);
  const auto bytes = writer.bytes();
  auto array = Napi::Uint8Array::New(env, bytes.size());
  std::ranges::copy(bytes, reinterpret_cast<std::byte*>(array.Data()));
  return array;
}

Napi::TypeError wrong(Napi::Env env, const std::string& path, std::string_view expected) {
  return Napi::TypeError::New(env, path + ": expected " + std::string(expected));
}

std::string member_of(const std::string& path, std::string_view name) {
  std::string member = path;
  member.append(".").append(name);
  return member;
}

// What is no whole number stays unset, and the field's own shape refuses it.
Value number_from_js(const Napi::Value& value) {
  const double number = value.As<Napi::Number>().DoubleValue();
  constexpr double kExact = 9'007'199'254'740'991.0;
  if (std::trunc(number) != number || std::abs(number) > kExact) return {};
  return static_cast<std::int64_t>(number);
}

Value list_from_js(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> list;
  for (std::uint32_t at = 0; at < array.Length(); ++at) {
    const Napi::Value entry = array[at];
    if (!entry.IsString()) return {};
    list.push_back(entry.As<Napi::String>().Utf8Value());
  }
  return list;
}

Value nested_from_js(const Napi::Value& value, const Schema& schema, const std::string& path) {
  auto record = schema.make();
  from_js(value.As<Napi::Object>(), *record, schema, path);
  return Nested{.record = nullptr, .schema = &schema, .owned = std::move(record)};
}

Value value_from_js(const Napi::Value& value, const Field& field, const Record& owner,
                    const std::string& path) {
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsNumber()) return number_from_js(value);
  if (value.IsArray()) return list_from_js(value);
  const Schema* schema = field.nested == nullptr ? nullptr : field.nested(owner);
  if (value.IsObject() && schema != nullptr) return nested_from_js(value, *schema, path);
  return {};
}

void set_from_js(const Napi::Object& object, Record& record, const Field& field,
                 const std::string& path) {
  const Napi::Env env = object.Env();
  const Napi::String name = text(env, field.name);
  const Napi::Value value = object.HasOwnProperty(name) ? object.Get(name) : env.Undefined();
  if (value.IsUndefined() && !field.required) return;
  const std::string member = member_of(path, field.name);
  if (value.IsUndefined() || !field.set(record, value_from_js(value, field, record, member))) {
    throw wrong(env, member, field.expected);
  }
}

}  // namespace

Napi::Object to_js(Napi::Env env, const Record& record, const Schema& schema) {
  auto object = Napi::Object::New(env);
  for (const Field& field : schema.fields) {
    if (field.get == nullptr) continue;
    const Value value = field.get(record);
    if (std::holds_alternative<std::monostate>(value)) continue;
    object.Set(text(env, field.name), std::visit(ToJs{env}, value));
  }
  if (!record.unknown.empty()) object.Set("unknown", unknown_to_js(env, record.unknown));
  return object;
}

void from_js(const Napi::Object& object, Record& record, const Schema& schema,
             const std::string& path) {
  const Napi::Env env = object.Env();
  // Own names only: nobody's addition to Object.prototype is a field.
  napi_value own = nullptr;
  napi_get_all_property_names(env, object, napi_key_own_only, napi_key_enumerable,
                              napi_key_numbers_to_strings, &own);
  const Napi::Array names(env, own);
  for (std::uint32_t at = 0; at < names.Length(); ++at) {
    const std::string name = names.Get(at).ToString().Utf8Value();
    const Field* field = schema.find(std::string_view(name));
    if (field == nullptr || field->set == nullptr || field->access == Access::read_only) {
      throw wrong(env, member_of(path, name), "no such field");
    }
  }
  // In the table's order: a link's kind comes before the details that depend on it.
  for (const Field& field : schema.fields) {
    if (field.set != nullptr) set_from_js(object, record, field, path);
  }
}

Napi::Object outcome_to_js(Napi::Env env, Outcome& outcome) {
  auto object = Napi::Object::New(env);
  const auto links = Napi::Array::New(env, outcome.links.size());
  for (std::uint32_t at = 0; at < outcome.links.size(); ++at) {
    links.Set(at, to_js(env, outcome.links[at], kLinkSchema));
  }
  const auto fds = Napi::Array::New(env, outcome.fds.size());
  for (std::uint32_t at = 0; at < outcome.fds.size(); ++at) {
    fds.Set(at, Napi::Number::New(env, outcome.fds[at].get()));
  }
  object.Set("links", links);
  object.Set("fds", fds);
  if (outcome.boot_id) object.Set("bootId", text(env, *outcome.boot_id));
  if (outcome.machine_id) object.Set("machineId", text(env, *outcome.machine_id));
  if (outcome.network_namespace) {
    object.Set("namespace",
               Napi::Number::New(env, static_cast<double>(*outcome.network_namespace)));
  }
  for (Fd& fd : outcome.fds) OpenQueues::of_process().hand_to(fd.release(), env);
  return object;
}

Napi::Object work_to_js(Napi::Env env, const Task& task) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  auto object = Napi::Object::New(env);
  object.Set("sends", Napi::Number::New(env, task.sends));
  object.Set("waited", Napi::Number::New(env, Milliseconds(task.begun - task.submitted).count()));
  object.Set("ran", Napi::Number::New(env, Milliseconds(task.ended - task.begun).count()));
  return object;
}

namespace {

Napi::Object holder_to_js(Napi::Env env, const Holder& holder) {
  auto object = Napi::Object::New(env);
  object.Set("name", text(env, holder.name));
  if (holder.pid != 0) {
    object.Set("pid", Napi::Number::New(env, static_cast<double>(holder.pid)));
  } else {
    object.Set("kind", text(env, holder.kind));
    object.Set("alias", text(env, holder.alias));
  }
  return object;
}

void set_surroundings(Napi::Object object, const Failure& failure) {
  const Napi::Env env = object.Env();
  if (!failure.on.empty()) object.Set("on", text(env, failure.on));
  if (failure.holder) object.Set("holder", holder_to_js(env, *failure.holder));
  if (!failure.existing) return;
  object.Set("existing", texts(env, *failure.existing));
  if (failure.existing_more == 0) return;
  object.Set("existingMore", Napi::Number::New(env, static_cast<double>(failure.existing_more)));
}

}  // namespace

Napi::Object failure_to_js(Napi::Env env, const Failure& failure, std::string_view operation) {
  auto object = Napi::Object::New(env);
  object.Set("errno", Napi::Number::New(env, failure.error));
  object.Set("reason", text(env, failure.reason));
  object.Set("operation", text(env, operation));
  object.Set("step", text(env, failure.step));
  const auto set_if_said = [&](const char* name, const std::string& value) {
    if (!value.empty()) object.Set(name, text(env, value));
  };
  set_if_said("device", failure.device);
  set_if_said("kernelMessage", failure.kernel_text);
  if (!failure.attribute.empty()) {
    object.Set("attribute", text(env, failure.attribute));
    object.Set("expected", text(env, failure.expected));
    object.Set("actual", text(env, failure.actual));
  }
  set_surroundings(object, failure);
  if (!failure.left_behind.empty()) object.Set("leftBehind", texts(env, failure.left_behind));
  return object;
}

}  // namespace flintap::addon
