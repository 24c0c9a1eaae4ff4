// What crosses into JavaScript crosses as JSON. On the JavaScript thread.
#pragma once

#include <napi.h>

#include <string>
#include <string_view>

#include "core/failure.h"
#include "core/json/json_writer.h"

namespace flintap::addon {

// V8 copies what is ASCII, and has to decode the rest.
Napi::String text_to_js(Napi::Env env, const std::string& text, bool is_ascii);

// By JSON.parse.
Napi::Object parse(Napi::Env env, JsonWriter& json);

Napi::Object failure_to_js(Napi::Env env, const Failure& failure, std::string_view operation);

}  // namespace flintap::addon
