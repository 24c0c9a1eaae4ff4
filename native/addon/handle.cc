#include "addon/handle.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "addon/json.h"
#include "core/devices/open_queues.h"

namespace flintap::addon {

Napi::Function Handle::define(Napi::Env env) {
  return DefineClass(env, "Handle",
                     {
                         InstanceMethod<&Handle::submit>("submit"),
                         InstanceMethod<&Handle::take>("take"),
                         InstanceMethod<&Handle::cancel>("cancel"),
                         InstanceMethod<&Handle::close>("close"),
                     });
}

// The thread must have ended before Node tears the thread-safe function down. Cleanup hooks run in
// the reverse order in which they were added, so this one comes after the function is made.
Handle::Handle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Handle>(info), bell_(std::make_unique<Bell>(this).release()) {
  const Napi::Env env = info.Env();
  wake_ = Wake::New(env, "flintap", 0, 1, bell_,
                    [](Napi::Env, void*, Bell* bell) { std::unique_ptr<Bell>(bell).reset(); });
  wake_.Unref(env);
  try {
    executor_ =
        std::make_unique<Executor>([this](auto tasks) { done(tasks); },
                                   [this](const Failure& failure) { push(settle_late(failure)); });
  } catch (const Failure& failure) {
    ended_ = true;
    bell_->handle = nullptr;
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
  executor_->stop();
}

// ---- on its way to the thread ----

// The next of [number, operation, request, …].
std::unique_ptr<Handle::Call> Handle::read_call(Napi::Env env, JsonReader& json) {
  const auto number = json.whole_number();
  const auto name = json.take(',') ? json.string() : std::nullopt;
  const auto request = json.take(',') ? json.raw() : std::nullopt;
  const bool is_whole = number && name && request && (json.take(',') || json.is_next(']'));
  if (!is_whole) throw Napi::TypeError::New(env, "expected calls in JSON");
  auto call = std::make_unique<Call>();
  call->number = *number;
  call->operation = find_operation(*name);
  if (call->operation == nullptr) throw Napi::TypeError::New(env, *name + ": no such operation");
  call->text = *request;
  return call;
}

// All are looked at before one of them is queued.
Napi::Value Handle::submit(const Napi::CallbackInfo& info) {
  const std::string text = info[0].ToString().Utf8Value();
  JsonReader json(text);
  std::vector<std::unique_ptr<Call>> calls;
  json.take('[');
  while (!json.take(']')) calls.push_back(read_call(info.Env(), json));
  submit(info.Env(), std::move(calls));
  return info.Env().Undefined();
}

Napi::Value Handle::close(const Napi::CallbackInfo& info) {
  std::vector<std::unique_ptr<Call>> end;
  end.push_back(std::make_unique<Call>());
  end.back()->number = info[0].ToNumber().Int64Value();
  submit(info.Env(), std::move(end));
  closing_ = true;
  return info.Env().Undefined();
}

void Handle::submit(Napi::Env env, std::vector<std::unique_ptr<Call>> calls) {
  if (exiting_ || closing_ || calls.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& call : calls) cancellable_[call->number] = call.get();
  }
  // A waiting operation keeps this object and the process alive; an idle handle does not.
  if (pending_ == 0) {
    Ref();
    wake_.Ref(env);
  }
  pending_ += calls.size();
  std::vector<std::unique_ptr<Task>> tasks;
  std::ranges::move(calls, std::back_inserter(tasks));
  executor_->submit(std::move(tasks));
}

Napi::Value Handle::cancel(const Napi::CallbackInfo& info) {
  const std::scoped_lock lock(mutex_);
  const auto found = cancellable_.find(info[0].ToNumber().Int64Value());
  const bool unbegun = found != cancellable_.end() && found->second->cancellation.request();
  return Napi::Boolean::New(info.Env(), unbegun);
}

// ---- on its way back ----

// The tasks are destroyed here and not by the JavaScript thread: a long list takes its time.
void Handle::done(std::span<std::unique_ptr<Task>> tasks) {
  std::vector<Settlement> parts;
  for (auto& task : tasks) {
    const std::int64_t number = static_cast<Call&>(*task).number;
    std::ranges::move(settle(*task, number), std::back_inserter(parts));
    const std::scoped_lock lock(mutex_);
    cancellable_.erase(number);
    task.reset();
  }
  push(std::move(parts));
}

// One wake for as many as come before JavaScript has taken all.
void Handle::push(std::vector<Settlement> parts) {
  const std::scoped_lock lock(mutex_);
  std::ranges::move(parts, std::back_inserter(settled_));
  if (!std::exchange(woken_, true)) wake_.NonBlockingCall();
}

void Handle::ring(Napi::Env env, Napi::Function, Bell* bell, void*) {
  if (static_cast<napi_env>(env) == nullptr || bell->handle == nullptr) return;  // torn down
  const Napi::Object self = bell->handle->Value();
  if (!self.IsEmpty()) self.Get("onSettled").As<Napi::Function>().Call(self, {});
}

std::vector<Settlement> Handle::take_some(bool& more) {
  std::vector<Settlement> some;
  std::size_t weight = 0;
  const std::scoped_lock lock(mutex_);
  while (!settled_.empty() && weight < kLinksAtATime) {
    some.push_back(std::move(settled_.front()));
    settled_.pop_front();
    weight += 1 + some.back().links;
  }
  more = !settled_.empty();
  woken_ = more;
  return some;
}

namespace {

Napi::Object batch_to_js(Napi::Env env, std::span<const Settlement> some, bool more) {
  std::string text = "[";
  std::size_t characters = 1;
  for (const Settlement& each : some) characters += each.text.size() + 1;
  text.reserve(characters);
  for (const Settlement& each : some) {
    if (text.size() > 1) text += ',';
    text += each.text;
  }
  text += ']';
  auto batch = Napi::Object::New(env);
  batch.Set("settled", text_to_js(env, text, std::ranges::all_of(some, &Settlement::is_ascii)));
  batch.Set("more", more);
  return batch;
}

}  // namespace

Napi::Value Handle::take(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (exiting_) return env.Undefined();
  bool more = false;
  auto some = take_some(more);
  const auto batch = batch_to_js(env, some, more);
  for (Settlement& each : some) {
    for (Fd& fd : each.fds) OpenQueues::of_process().hand_to(fd.release(), env);
  }
  if (std::ranges::any_of(some, &Settlement::is_end)) end_thread(env);
  let_go(env, static_cast<std::size_t>(std::ranges::count_if(some, &Settlement::is_last)));
  return batch;
}

void Handle::let_go(Napi::Env env, std::size_t settled) {
  if (settled == 0) return;
  pending_ -= settled;
  if (pending_ > 0) return;
  if (!ended_) wake_.Unref(env);
  Unref();
}

void Handle::end_thread(Napi::Env env) {
  ended_ = true;
  if (auto* open = env.GetInstanceData<OpenHandles>()) open->erase(this);
  executor_.reset();
  napi_remove_env_cleanup_hook(env, end_at_teardown, this);
  bell_->handle = nullptr;
  wake_.Release();
}

}  // namespace flintap::addon
