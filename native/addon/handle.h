// The JavaScript object that stands for a network namespace's operation thread.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/executor/executor.h"

namespace flintap::addon {

class Handle : public Napi::ObjectWrap<Handle> {
 public:
  static Napi::Function define(Napi::Env env);
  // All of an environment, at once: what runs is undone if it can be, what is queued is dropped.
  // Nothing settles any more.
  static void end_all(Napi::Env env);

  explicit Handle(const Napi::CallbackInfo& info);
  ~Handle() override;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  struct Call;
  static void settle_all(Napi::Env env, Napi::Function callback, Handle* handle, void* data);
  using Wake = Napi::TypedThreadSafeFunction<Handle, void, &Handle::settle_all>;

  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  Napi::Value submit(Napi::Env env, std::unique_ptr<Call> call);
  void settle(Napi::Env env, Call& call);
  // On the operation thread.
  void done(std::unique_ptr<Task> task);
  static void end_at_teardown(void* handle);
  static void tell_all_to_end(Napi::Env env);
  void end();
  void end_thread(Napi::Env env);

  std::mutex mutex_;
  std::vector<std::unique_ptr<Task>> done_;  // guarded by mutex_
  std::size_t pending_ = 0;                  // JavaScript thread only, as all below
  // Those that can be cancelled, by the number that JavaScript gave them.
  std::unordered_map<std::uint32_t, Call*> cancellable_;
  bool closing_ = false;
  bool ended_ = false;
  bool exiting_ = false;  // nobody hears of anything any more
  Wake wake_;
  std::unique_ptr<Executor> executor_;
};

// Of one environment, whose instance data it is: those whose thread has not ended.
using OpenHandles = std::unordered_set<Handle*>;

}  // namespace flintap::addon
