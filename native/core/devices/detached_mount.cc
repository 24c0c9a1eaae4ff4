#include "core/devices/detached_mount.h"

#include "core/system/system.h"

namespace flintap {

Fd detached_mount(const char* type) {
  const Fd filesystem = sys::fsopen(type);
  if (!filesystem.valid() || sys::fsconfig_create(filesystem.get()) < 0) return {};
  return sys::fsmount(filesystem.get());
}

}  // namespace flintap
