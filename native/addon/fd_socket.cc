#include "addon/fd_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/devices/open_queues.h"
#include "core/system/seam.h"
#include "core/system/system.h"

namespace flintap::addon {
namespace {

std::vector<std::byte> bytes_of(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  const auto bytes = std::as_bytes(std::span(array.Data(), array.ByteLength()));
  return {bytes.begin(), bytes.end()};
}

std::vector<int> numbers_of(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<int> numbers;
  for (std::uint32_t at = 0; at < array.Length(); ++at) {
    numbers.push_back(array.Get(at).As<Napi::Number>().Int32Value());
  }
  return numbers;
}

// Nobody but the environment's end closes it, until JavaScript does.
Napi::Number handed_out(Napi::Env env, Fd& descriptor) {
  OpenQueues::of_process().hand_to(descriptor.get(), env);
  return Napi::Number::New(env, descriptor.release());
}

// Of a new socket, or of the given one. `owned`: JavaScript was handed it, and gives it back. Where
// it fails, a given one is as it was.
std::unique_ptr<FdSocket> start(const Napi::Value& given, bool owned,
                                std::function<void()> on_change) {
  if (!given.IsNumber()) {
    Fd socket = open_unix_socket();
    return std::make_unique<FdSocket>(socket, std::move(on_change));
  }
  const int number = given.As<Napi::Number>().Int32Value();
  prepare_socket(number, owned);
  Fd socket(number);
  try {
    auto started = std::make_unique<FdSocket>(socket, std::move(on_change));
    OpenQueues::of_process().hand_to(number, nullptr);
    return started;
  } catch (const Failure&) {
    if (!owned) OpenQueues::of_process().forget(number);
    std::ignore = socket.release();
    throw;
  }
}

std::string_view name_of(SocketTask::Kind kind) {
  switch (kind) {
    case SocketTask::Kind::connect:
      return "FdSocket.connect";
    case SocketTask::Kind::send:
      return "FdSocket.send";
    case SocketTask::Kind::receive:
      return "FdSocket.receive";
  }
  return "FdSocket";
}

// Known before any of them is handed out: what can't be is closed with the others.
void know_all(std::span<const Fd> descriptors) {
  for (const Fd& each : descriptors) OpenQueues::of_process().add_other(each.get());
}

Napi::Object message_to_js(Napi::Env env, SocketTask& task) {
  auto message = Napi::Object::New(env);
  auto data = Napi::Uint8Array::New(env, task.bytes.size());
  std::ranges::copy(task.bytes, reinterpret_cast<std::byte*>(data.Data()));
  message.Set("data", data);
  const auto fds = Napi::Array::New(env, task.received.size());
  for (std::uint32_t at = 0; at < task.received.size(); ++at) {
    fds.Set(at, handed_out(env, task.received[at]));
  }
  message.Set("fds", fds);
  return message;
}

}  // namespace

struct Socket::Call : SocketTask {
  Call(Napi::Env env, Kind what, const Napi::Value& cancelled_by)
      : deferred(Napi::Promise::Deferred::New(env)) {
    kind = what;
    if (cancelled_by.IsNumber()) number = cancelled_by.As<Napi::Number>().Uint32Value();
  }
  Napi::Promise::Deferred deferred;
};

Napi::Function Socket::define(Napi::Env env) {
  return DefineClass(env, "FdSocket",
                     {
                         InstanceMethod<&Socket::connect>("connect"),
                         InstanceMethod<&Socket::send>("send"),
                         InstanceMethod<&Socket::receive>("receive"),
                         InstanceMethod<&Socket::cancel>("cancel"),
                         InstanceMethod<&Socket::close>("close"),
                     });
}

Socket::Socket(const Napi::CallbackInfo& info) : Woken(info) {
  begin(info.Env(), info[0].IsNumber() ? "FdSocket.adopt" : "FdSocket.connect", [&] {
    const seam::Scope counted;
    socket_ = start(info[0], info[1].ToBoolean(), [this] { changed(); });
  });
}

// The thread may have to wait for the kernel, and this one must not.
Socket::~Socket() {
  if (!finished()) FdSocket::leave(std::move(socket_));
  finish_once();
}

Napi::Value Socket::pair(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    const seam::Scope counted;
    std::array<Fd, 2> ends;
    if (sys::socket_pair(AF_UNIX, SOCK_STREAM, ends) < 0) {
      throw Failure::of_errno("make a pair of sockets");
    }
    know_all(ends);
    const auto numbers = Napi::Array::New(env, ends.size());
    for (std::uint32_t at = 0; at < ends.size(); ++at) numbers.Set(at, handed_out(env, ends[at]));
    return numbers;
  } catch (const Failure& failure) {
    throw Napi::Error(env, failure_to_js(env, failure, "FdSocket.pair"));
  }
}

Napi::Value Socket::connect(const Napi::CallbackInfo& info) {
  auto call = std::make_unique<Call>(info.Env(), SocketTask::Kind::connect, info[1]);
  call->bytes = bytes_of(info[0]);
  return submit(info.Env(), std::move(call));
}

Napi::Value Socket::send(const Napi::CallbackInfo& info) {
  auto call = std::make_unique<Call>(info.Env(), SocketTask::Kind::send, info[2]);
  call->bytes = bytes_of(info[0]);
  call->lent = numbers_of(info[1]);
  return submit(info.Env(), std::move(call));
}

Napi::Value Socket::receive(const Napi::CallbackInfo& info) {
  auto call = std::make_unique<Call>(info.Env(), SocketTask::Kind::receive, info[2]);
  call->max_bytes = info[0].As<Napi::Number>().Uint32Value();
  call->max_descriptors = info[1].As<Napi::Number>().Uint32Value();
  return submit(info.Env(), std::move(call));
}

Napi::Value Socket::cancel(const Napi::CallbackInfo& info) {
  if (socket_) socket_->cancel(info[0].ToNumber().Uint32Value());
  return info.Env().Undefined();
}

Napi::Value Socket::submit(Napi::Env env, std::unique_ptr<Call> call) {
  const Napi::Value promise = call->deferred.Promise();
  if (finished() || closing()) {
    const Failure closed(0, reason::closed, "call");
    call->deferred.Reject(failure_to_js(env, closed, name_of(call->kind)));
    return promise;
  }
  ++pending_;
  hold(env);
  socket_->submit(std::move(call));
  return promise;
}

void Socket::settle(Napi::Env env) {
  if (finished()) return;
  auto state = socket_->take();
  for (const auto& task : state.done) {
    const Napi::HandleScope scope(env);
    auto& call = static_cast<Call&>(*task);
    --pending_;
    if (call.failure) {
      call.deferred.Reject(failure_to_js(env, *call.failure, name_of(call.kind)));
    } else if (call.kind == SocketTask::Kind::receive) {
      call.deferred.Resolve(message_to_js(env, call));
    } else {
      call.deferred.Resolve(env.Undefined());
    }
  }
  if (closing() && state.ended) closed(env);
}

Napi::Value Socket::close(const Napi::CallbackInfo& info) {
  return close_once(info.Env(), [this] { socket_->stop(); });
}

}  // namespace flintap::addon
