// The JavaScript object that stands for a unix stream socket that carries descriptors.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/woken.h"
#include "core/sockets/fd_socket.h"

namespace flintap::addon {

// All on the JavaScript thread.
class Socket : public Woken<Socket> {
 public:
  static Napi::Function define(Napi::Env env);
  // socketPair(): the numbers of two ends, open until they are closed by closeQueue or given to a
  // socket.
  static Napi::Value pair(const Napi::CallbackInfo& info);

  explicit Socket(const Napi::CallbackInfo& info);
  ~Socket() override;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

 private:
  friend class Woken<Socket>;
  struct Call;

  Napi::Value connect(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  Napi::Value submit(Napi::Env env, std::unique_ptr<Call> call);
  void settle(Napi::Env env);
  [[nodiscard]] bool waits() const { return pending_ > 0; }
  void end_thread() { socket_.reset(); }

  std::size_t pending_ = 0;
  std::unique_ptr<FdSocket> socket_;
};

}  // namespace flintap::addon
