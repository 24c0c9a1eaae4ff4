// The JavaScript object that stands for a network namespace's operation thread.
#pragma once

#include <napi.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/executor/executor.h"
#include "core/executor/settlement.h"
#include "core/json/json_reader.h"

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
  // A task by the number that JavaScript gave it.
  struct Call : Task {
    std::int64_t number = 0;
  };
  // Whom a wake is for: no handle any more once that has ended. JavaScript thread only.
  struct Bell {
    Handle* handle;
  };
  static void ring(Napi::Env env, Napi::Function callback, Bell* bell, void* data);
  using Wake = Napi::TypedThreadSafeFunction<Bell, void, &Handle::ring>;

  Napi::Value submit(const Napi::CallbackInfo& info);
  Napi::Value take(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  static std::unique_ptr<Call> read_call(Napi::Env env, JsonReader& json);
  void submit(Napi::Env env, std::vector<std::unique_ptr<Call>> calls);
  std::vector<Settlement> take_some(bool& more);
  void let_go(Napi::Env env, std::size_t settled);
  // On the operation thread.
  void done(std::span<std::unique_ptr<Task>> tasks);
  // On any thread.
  void push(std::vector<Settlement> parts);
  static void end_at_teardown(void* handle);
  static void tell_all_to_end(Napi::Env env);
  void end();
  void end_thread(Napi::Env env);

  std::mutex mutex_;
  std::deque<Settlement> settled_;                       // guarded by mutex_, as those below
  bool woken_ = false;                                   // JavaScript knows that there are some
  std::unordered_map<std::int64_t, Call*> cancellable_;  // those that have not settled
  std::size_t pending_ = 0;                              // JavaScript thread only, as all below
  bool closing_ = false;
  bool ended_ = false;
  bool exiting_ = false;  // nobody hears of anything any more
  Bell* bell_;            // the thread-safe function's own
  Wake wake_;
  std::unique_ptr<Executor> executor_;
};

// Of one environment, whose instance data it is: those whose thread has not ended.
using OpenHandles = std::unordered_set<Handle*>;

}  // namespace flintap::addon
