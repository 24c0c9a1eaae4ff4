// The JavaScript object that stands for a watch on the links of a network namespace.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <optional>

#include "core/watch/link_watch.h"

namespace flintap::addon {

// All on the JavaScript thread, but for `changed`.
class Watch : public Napi::ObjectWrap<Watch> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Watch(const Napi::CallbackInfo& info);
  ~Watch() override;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  static void on_wake(Napi::Env env, Napi::Function callback, Watch* watch, void* data);
  using Wake = Napi::TypedThreadSafeFunction<Watch, void, &Watch::on_wake>;

  Napi::Value next(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  // On the watch's thread: one wake for as much as happens before JavaScript gets to run.
  void changed();
  void settle(Napi::Env env);
  // Whoever waits keeps this object and the process alive, and so does a wake that is under way.
  void hold(Napi::Env env);
  void let_go(Napi::Env env);
  void finish(Napi::Env env);
  static void end_at_teardown(void* watch);

  std::mutex mutex_;
  bool woken_ = false;  // guarded by mutex_
  bool held_ = false;   // written by the JavaScript thread under mutex_
  std::optional<Napi::Promise::Deferred> waiting_;
  std::optional<Napi::Promise::Deferred> closing_;
  bool finished_ = false;
  Wake wake_;
  std::unique_ptr<LinkWatch> watch_;
};

}  // namespace flintap::addon
