// The JavaScript object that stands for a watch on the links of a network namespace.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "addon/woken.h"
#include "core/watch/link_watch.h"

namespace flintap::addon {

// All on the JavaScript thread.
class Watch : public Woken<Watch> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Watch(const Napi::CallbackInfo& info);
  ~Watch() override;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  friend class Woken<Watch>;

  Napi::Value next(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  void settle(Napi::Env env);
  [[nodiscard]] bool waits() const { return waiting_.has_value(); }
  void end_thread() { watch_.reset(); }

  std::optional<Napi::Promise::Deferred> waiting_;
  std::unique_ptr<LinkWatch> watch_;
};

}  // namespace flintap::addon
