// What the addon exports; src/addon.ts is its TypeScript face.
#include <napi.h>

#include "addon/handle.h"
#include "core/devices/open_queues.h"
#include "core/failure.h"
#include "core/system/seam.h"

namespace flintap::addon {
namespace {

Napi::Array reasons(Napi::Env env) {
  const auto array = Napi::Array::New(env, reason::all.size());
  for (std::uint32_t at = 0; at < reason::all.size(); ++at) {
    array.Set(at, std::string(reason::all[at]));
  }
  return array;
}

Napi::Value arm(const Napi::CallbackInfo& info) {
  seam::arm(info[0].As<Napi::Number>().Uint32Value(), info[1].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Value disarm(const Napi::CallbackInfo& info) {
  const seam::Report report = seam::disarm();
  auto object = Napi::Object::New(info.Env());
  object.Set("calls", Napi::Number::New(info.Env(), report.calls));
  if (!report.struck.empty()) object.Set("struck", report.struck);
  return object;
}

Napi::Object seam_object(Napi::Env env) {
  auto object = Napi::Object::New(env);
  object.Set("arm", Napi::Function::New<arm>(env, "arm"));
  object.Set("disarm", Napi::Function::New<disarm>(env, "disarm"));
  return object;
}

// A worker that ends closes what it was handed and has not closed. Added before any handle's hook,
// so it runs after their threads have ended.
void close_queues(void* env) { OpenQueues::of_process().close_all_of(env); }

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  napi_add_env_cleanup_hook(env, close_queues, static_cast<napi_env>(env));
  exports.Set("Handle", Handle::define(env));
  exports.Set("reasons", reasons(env));
  if constexpr (seam::enabled) exports.Set("seam", seam_object(env));
  return exports;
}

}  // namespace
}  // namespace flintap::addon

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) {
  return flintap::addon::initialize(env, exports);
}

NODE_API_MODULE(flintap, initialize_addon)
