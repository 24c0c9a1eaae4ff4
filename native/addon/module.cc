// What the addon exports; src/addon.ts is its TypeScript face.
#include <napi.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/fd_socket.h"
#include "addon/handle.h"
#include "addon/watch.h"
#include "core/devices/open_queues.h"
#include "core/failure.h"
#include "core/system/native_thread.h"
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

std::vector<std::string> strings(const Napi::Array& array) {
  std::vector<std::string> texts;
  for (std::uint32_t at = 0; at < array.Length(); ++at) {
    texts.push_back(array.Get(at).As<Napi::String>().Utf8Value());
  }
  return texts;
}

// arm(at, errno, { andAt, fromThenOn, firstOf, refused, pauseAt })
Napi::Value arm(const Napi::CallbackInfo& info) {
  seam::Plan plan;
  plan.at = info[0].As<Napi::Number>().Uint32Value();
  plan.error = info[1].As<Napi::Number>().Int32Value();
  if (info[2].IsObject()) {
    const auto more = info[2].As<Napi::Object>();
    const Napi::Value refused = more.Get("refused");
    plan.and_at = more.Get("andAt").ToNumber().Uint32Value();
    plan.pause_at = more.Get("pauseAt").ToNumber().Uint32Value();
    plan.from_then_on = more.Get("fromThenOn").ToBoolean();
    if (more.Get("firstOf").IsArray())
      plan.first_of = strings(more.Get("firstOf").As<Napi::Array>());
    if (refused.IsString()) plan.refused = refused.As<Napi::String>().Utf8Value();
  }
  seam::arm(std::move(plan));
  return info.Env().Undefined();
}

Napi::Value disarm(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const seam::Report report = seam::disarm();
  const auto struck = Napi::Array::New(env, report.struck.size());
  for (std::uint32_t at = 0; at < report.struck.size(); ++at) struck.Set(at, report.struck[at]);
  auto object = Napi::Object::New(env);
  object.Set("calls", Napi::Number::New(env, report.calls));
  object.Set("struck", struck);
  return object;
}

Napi::Value is_paused(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), seam::is_paused());
}

Napi::Value resume(const Napi::CallbackInfo& info) {
  seam::resume();
  return info.Env().Undefined();
}

Napi::Object seam_object(Napi::Env env) {
  auto object = Napi::Object::New(env);
  object.Set("arm", Napi::Function::New<arm>(env, "arm"));
  object.Set("disarm", Napi::Function::New<disarm>(env, "disarm"));
  object.Set("isPaused", Napi::Function::New<is_paused>(env, "isPaused"));
  object.Set("resume", Napi::Function::New<resume>(env, "resume"));
  return object;
}

// For when the process exits: Node runs no cleanup hook of its main thread then, and a thread that
// is killed in the middle of an operation could leave half of it.
Napi::Value end_all(const Napi::CallbackInfo& info) {
  Handle::end_all(info.Env());
  return info.Env().Undefined();
}

// A worker that ends closes what it was handed and has not closed. Added before any handle's hook,
// so it runs after their threads have ended. Those of sockets that were collected are waited for:
// with the last environment that has the addon, its code goes.
void close_queues(void* env) {
  OpenQueues::of_process().close_all_of(env);
  LeftThreads::of_process().wait();
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  napi_add_env_cleanup_hook(env, close_queues, static_cast<napi_env>(env));
  // Node deletes it with the environment.
  env.SetInstanceData(std::make_unique<OpenHandles>().release());
  exports.Set("Handle", Handle::define(env));
  exports.Set("LinkWatch", Watch::define(env));
  exports.Set("FdSocket", Socket::define(env));
  exports.Set("socketPair", Napi::Function::New<Socket::pair>(env, "socketPair"));
  exports.Set("endAll", Napi::Function::New<end_all>(env, "endAll"));
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
