// JavaScript objects that a native thread wakes when it has something to tell: what a watch and a
// socket have in common.
//
// Whoever waits keeps the object and the process alive, and so does a wake that is under way; an
// idle object keeps neither. The thread must have ended before Node tears the thread-safe function
// down: cleanup hooks run in the reverse order in which they were added, so the one here comes
// after the function is made.
#pragma once

#include <napi.h>

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "addon/json.h"
#include "core/failure.h"

namespace flintap::addon {

// `Self` derives from it, and has, for the JavaScript thread:
//   void settle(Napi::Env)  takes what there is, and settles who waits for it
//   bool waits() const      whether somebody does, beside who closes
//   void end_thread()       ends the thread, at once, and waits for it
// Its destructor calls `finish_once`.
template <class Self>
class Woken : public Napi::ObjectWrap<Self> {
 public:
  Woken(const Woken&) = delete;
  Woken& operator=(const Woken&) = delete;
  ~Woken() override = default;

 protected:
  explicit Woken(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Self>(info) {}

  // Calls `start`, which makes the thread. Its Failure is thrown as JavaScript's error of
  // `operation`.
  template <class Start>
  void begin(Napi::Env env, std::string_view operation, Start start) {
    wake_ = Wake::New(env, "flintap", 0, 1, this);
    wake_.Unref(env);
    try {
      start();
    } catch (const Failure& failure) {
      finished_ = true;
      wake_.Release();
      throw Napi::Error(env, failure_to_js(env, failure, operation));
    }
    napi_add_env_cleanup_hook(env, end_at_teardown, this);
  }

  // On the native thread: one wake for as much as happens before JavaScript gets to run.
  void changed() {
    const std::scoped_lock lock(mutex_);
    if (!held_ || std::exchange(woken_, true)) return;
    wake_.NonBlockingCall();
  }

  void hold(Napi::Env env) {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(held_, true)) return;
    this->Ref();
    wake_.Ref(env);
  }

  void let_go(Napi::Env env) {
    if (self().waits() || closing_) return;
    {
      const std::scoped_lock lock(mutex_);
      if (woken_ || !std::exchange(held_, false)) return;
    }
    if (!finished_) wake_.Unref(env);
    this->Unref();
  }

  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] bool closing() const { return closing_.has_value(); }

  // The promise of close(), the same for each call; `stop` asks the thread to end.
  template <class Stop>
  Napi::Value close_once(Napi::Env env, Stop stop) {
    if (closing_) return closing_->Promise();
    const auto deferred = Napi::Promise::Deferred::New(env);
    const Napi::Value promise = deferred.Promise();
    if (finished_) {
      deferred.Resolve(env.Undefined());
      return promise;
    }
    closing_ = deferred;
    hold(env);
    stop();
    return promise;
  }

  // The thread has ended by itself: ends what it leaves, and tells who closes.
  void closed(Napi::Env env) {
    finish(env);
    std::exchange(closing_, std::nullopt)->Resolve(env.Undefined());
  }

  void finish(Napi::Env env) {
    finished_ = true;
    self().end_thread();
    napi_remove_env_cleanup_hook(env, end_at_teardown, this);
    wake_.Release();
  }

  void finish_once() {
    if (!finished_) finish(this->Env());
  }

 private:
  static void on_wake(Napi::Env env, Napi::Function, Woken* woken, void*) {
    if (static_cast<napi_env>(env) == nullptr) return;  // torn down
    {
      const std::scoped_lock lock(woken->mutex_);
      woken->woken_ = false;
    }
    woken->self().settle(env);
    woken->let_go(env);
  }

  static void end_at_teardown(void* object) {
    auto* woken = static_cast<Woken*>(object);
    woken->finished_ = true;
    woken->self().end_thread();
  }

  Self& self() { return static_cast<Self&>(*this); }

  using Wake = Napi::TypedThreadSafeFunction<Woken, void, &Woken::on_wake>;

  std::optional<Napi::Promise::Deferred> closing_;
  std::mutex mutex_;
  bool woken_ = false;  // guarded by mutex_
  bool held_ = false;   // written by the JavaScript thread under mutex_
  bool finished_ = false;
  Wake wake_;
};

}  // namespace flintap::addon
