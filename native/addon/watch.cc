#include "addon/watch.h"

#include <utility>

#include "addon/json.h"
#include "core/json/record_json.h"
#include "core/link/kind.h"

namespace flintap::addon {
namespace {

// So many links are converted before the event loop goes on.
constexpr std::size_t kBatch = 64;

void write_news(JsonWriter& json, const LinkNews& news) {
  json.begin_object();
  json.member("index", news.index);
  json.member("initial", news.initial);
  json.member("removed", news.removed);
  const auto member = [&](const char* name, const Record* record, const Schema& schema) {
    if (record == nullptr) return;
    json.key(name);
    write_json(json, *record, schema);
  };
  member("link", news.link.get(), kLinkSchema);
  member("port", news.port.get(), *find_kind("bridge")->port);
  member("ipv6", news.ipv6.get(), kIpv6Schema);
  json.end_object();
}

Napi::Object batch_to_js(Napi::Env env, const LinkWatch::State& state) {
  JsonWriter json;
  json.begin_object();
  json.key("news");
  json.begin_array();
  for (const LinkNews& news : state.news) write_news(json, news);
  json.end_array();
  json.member("more", state.more);
  json.end_object();
  return parse(env, json);
}

LinkWatch::Settings settings_of(const Napi::Object& given) {
  LinkWatch::Settings settings;
  settings.receive_buffer = given.Get("receiveBuffer").ToNumber().Int32Value();
  if (const Napi::Value number = given.Get("namespace"); number.IsNumber()) {
    settings.network_namespace =
        OpenNamespaces::of_process().find(number.As<Napi::Number>().Int64Value());
    if (!settings.network_namespace) {
      throw Failure(0, reason::namespace_not_open, "find the namespace");
    }
  }
  return settings;
}

}  // namespace

Napi::Function Watch::define(Napi::Env env) {
  return DefineClass(
      env, "LinkWatch",
      {InstanceMethod<&Watch::next>("next"), InstanceMethod<&Watch::close>("close")});
}

Watch::Watch(const Napi::CallbackInfo& info) : Woken(info) {
  begin(info.Env(), "watchLinks", [&] {
    auto settings = settings_of(info[0].As<Napi::Object>());
    watch_ = std::make_unique<LinkWatch>(std::move(settings), [this] { changed(); });
  });
}

Watch::~Watch() { finish_once(); }

void Watch::settle(Napi::Env env) {
  if (finished() || (!waiting_ && !closing())) return;
  const LinkWatch::State state = watch_->take(waiting_ && !closing() ? kBatch : 0);
  if (waiting_ && (!state.news.empty() || state.failure || state.ended)) {
    const auto waiting = *std::exchange(waiting_, std::nullopt);
    if (state.failure && !closing()) {
      waiting.Reject(failure_to_js(env, *state.failure, "watchLinks"));
    } else {
      waiting.Resolve(batch_to_js(env, state));
    }
  }
  if (closing() && state.ended) closed(env);
}

Napi::Value Watch::next(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto deferred = Napi::Promise::Deferred::New(env);
  const Napi::Value promise = deferred.Promise();
  if (finished() || closing() || waiting_) {
    deferred.Resolve(batch_to_js(env, {}));
    return promise;
  }
  waiting_ = deferred;
  hold(env);
  if (watch_->anything()) settle(env);
  let_go(env);
  return promise;
}

Napi::Value Watch::close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return close_once(env, [this, env] {
    watch_->stop();
    settle(env);  // where the thread has ended by itself, nobody wakes any more
    let_go(env);
  });
}

}  // namespace flintap::addon
