#include "addon/watch.h"

#include <utility>

#include "addon/convert.h"
#include "core/link/kind.h"

namespace flintap::addon {
namespace {

// So many links are converted before the event loop goes on.
constexpr std::size_t kBatch = 64;

Napi::Object news_to_js(Napi::Env env, const LinkNews& news) {
  auto object = Napi::Object::New(env);
  object.Set("index", Napi::Number::New(env, news.index));
  object.Set("initial", Napi::Boolean::New(env, news.initial));
  object.Set("removed", Napi::Boolean::New(env, news.removed));
  if (news.link) object.Set("link", to_js(env, *news.link, kLinkSchema));
  if (news.port) object.Set("port", to_js(env, *news.port, *find_kind("bridge")->port));
  if (news.ipv6) object.Set("ipv6", to_js(env, *news.ipv6, kIpv6Schema));
  return object;
}

Napi::Object batch_to_js(Napi::Env env, const LinkWatch::State& state) {
  const auto news = Napi::Array::New(env, state.news.size());
  for (std::uint32_t at = 0; at < state.news.size(); ++at) {
    const Napi::HandleScope scope(env);
    news.Set(at, news_to_js(env, state.news[at]));
  }
  auto batch = Napi::Object::New(env);
  batch.Set("news", news);
  batch.Set("more", Napi::Boolean::New(env, state.more));
  return batch;
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
