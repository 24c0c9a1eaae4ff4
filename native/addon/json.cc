#include "addon/json.h"

#include "core/executor/settlement.h"

namespace flintap::addon {

Napi::String text_to_js(Napi::Env env, const std::string& text, bool is_ascii) {
  napi_value value = nullptr;
  const auto create = is_ascii ? napi_create_string_latin1 : napi_create_string_utf8;
  if (create(env, text.data(), text.size(), &value) != napi_ok) throw Napi::Error::New(env);
  return {env, value};
}

Napi::Object parse(Napi::Env env, JsonWriter& json) {
  const auto parser = env.Global().Get("JSON").As<Napi::Object>().Get("parse");
  const auto text = text_to_js(env, json.text(), json.is_ascii());
  return parser.As<Napi::Function>().Call({text}).As<Napi::Object>();
}

Napi::Object failure_to_js(Napi::Env env, const Failure& failure, std::string_view operation) {
  JsonWriter json;
  write_json(json, failure, operation);
  return parse(env, json);
}

}  // namespace flintap::addon
