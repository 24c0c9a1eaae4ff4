#include "addon/handle.h"

#include <string>
#include <utility>

#include "addon/convert.h"

namespace flintap::addon {

struct Handle::Call : Task {
  explicit Call(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise::Deferred deferred;
  std::uint32_t number = 0;  // 0: can't be cancelled
};

Napi::Function Handle::define(Napi::Env env) {
  return DefineClass(env, "Handle",
                     {
                         InstanceMethod<&Handle::run>("run"),
                         InstanceMethod<&Handle::cancel>("cancel"),
                         InstanceMethod<&Handle::close>("close"),
                     });
}

// The thread must have ended before Node tears the thread-safe function down. Cleanup hooks run in
// the reverse order in which they were added, so this one comes after the function is made.
Handle::Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Handle>(info) {
  const Napi::Env env = info.Env();
  wake_ = Wake::New(env, "flintap", 0, 1, this);
  wake_.Unref(env);
  try {
    executor_ = std::make_unique<Executor>([this](auto task) { done(std::move(task)); });
  } catch (const Failure& failure) {
    wake_.Release();
    throw Napi::Error(env, failure_to_js(env, failure, "open"));
  }
  napi_add_env_cleanup_hook(env, end_at_teardown, this);
  env.GetInstanceData<OpenHandles>()->insert(this);
}

// Collected, or the environment is gone and the hook did the work.
Handle::~Handle() {
  if (!ended_) end_thread(Env());
}

// While one thread is waited for, the others work: none is to finish what nobody will hear of.
void Handle::tell_all_to_end(Napi::Env env) {
  for (const Handle* each : *env.GetInstanceData<OpenHandles>()) {
    if (each->executor_) each->executor_->tell_to_stop();
  }
}

void Handle::end_all(Napi::Env env) {
  tell_all_to_end(env);
  for (Handle* each : *env.GetInstanceData<OpenHandles>()) each->end();
}

void Handle::end_at_teardown(void* handle) {
  auto* self = static_cast<Handle*>(handle);
  tell_all_to_end(self->Env());
  self->ended_ = true;
  self->executor_.reset();
}

void Handle::end() {
  exiting_ = true;
  cancellable_.clear();
  executor_->stop();
}

Napi::Value Handle::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = info[0].ToString().Utf8Value();
  const Operation* operation = find_operation(name);
  if (operation == nullptr || !info[1].IsObject()) {
    throw Napi::TypeError::New(env, name + ": expected an operation and its request");
  }
  auto request = operation->request->make();
  from_js(info[1].As<Napi::Object>(), *request, *operation->request, name);
  auto call = std::make_unique<Call>(env);
  call->operation = operation;
  call->request = std::move(request);
  if (info[2].IsNumber() && !closing_ && !exiting_) {
    call->number = info[2].As<Napi::Number>().Uint32Value();
    cancellable_[call->number] = call.get();
  }
  return submit(env, std::move(call));
}

Napi::Value Handle::cancel(const Napi::CallbackInfo& info) {
  const auto found = cancellable_.find(info[0].ToNumber().Uint32Value());
  const bool unbegun = found != cancellable_.end() && found->second->cancellation.request();
  return Napi::Boolean::New(info.Env(), unbegun);
}

Napi::Value Handle::close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto call = std::make_unique<Call>(env);
  if (closing_) {
    const Napi::Value promise = call->deferred.Promise();
    call->deferred.Resolve(env.Undefined());
    return promise;
  }
  const Napi::Value promise = submit(env, std::move(call));
  closing_ = true;
  return promise;
}

Napi::Value Handle::submit(Napi::Env env, std::unique_ptr<Call> call) {
  const Napi::Value promise = call->deferred.Promise();
  if (exiting_) return promise;
  if (closing_) {
    const Failure refused(0, reason::closed, "queue the operation");
    call->deferred.Reject(failure_to_js(env, refused, call->operation->name));
    return promise;
  }
  // A waiting operation keeps this object and the process alive; an idle handle does not.
  if (pending_++ == 0) {
    Ref();
    wake_.Ref(env);
  }
  executor_->submit(std::move(call));
  return promise;
}

// Operation thread: one wake for as many as end before JavaScript gets to run.
void Handle::done(std::unique_ptr<Task> task) {
  const std::scoped_lock lock(mutex_);
  done_.push_back(std::move(task));
  if (done_.size() == 1) wake_.NonBlockingCall();
}

void Handle::settle_all(Napi::Env env, Napi::Function, Handle* handle, void*) {
  if (static_cast<napi_env>(env) == nullptr) return;  // torn down
  std::vector<std::unique_ptr<Task>> settled;
  {
    const std::scoped_lock lock(handle->mutex_);
    settled = std::exchange(handle->done_, {});
  }
  for (const auto& task : settled) {
    const Napi::HandleScope scope(env);
    auto& call = static_cast<Call&>(*task);
    handle->cancellable_.erase(call.number);
    try {
      handle->settle(env, call);
    } catch (const Napi::Error& error) {
      call.deferred.Reject(error.Value());
    }
  }
  handle->pending_ -= settled.size();
  if (handle->pending_ > 0 || settled.empty()) return;
  if (!handle->ended_) handle->wake_.Unref(env);
  handle->Unref();
}

void Handle::settle(Napi::Env env, Call& call) {
  if (call.operation == nullptr) {
    end_thread(env);
    call.deferred.Resolve(env.Undefined());
    return;
  }
  auto answer = call.failure ? failure_to_js(env, *call.failure, call.operation->name)
                             : outcome_to_js(env, call.outcome);
  answer.Set("work", work_to_js(env, call));
  if (call.failure) {
    call.deferred.Reject(answer);
  } else {
    call.deferred.Resolve(answer);
  }
}

void Handle::end_thread(Napi::Env env) {
  ended_ = true;
  if (auto* open = env.GetInstanceData<OpenHandles>()) open->erase(this);
  executor_.reset();
  napi_remove_env_cleanup_hook(env, end_at_teardown, this);
  wake_.Release();
}

}  // namespace flintap::addon
