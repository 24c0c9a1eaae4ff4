// How anything in the core fails: one exception type with the facts, no words for people.
//
// It never crosses a thread: the executor catches it and hands it over as a value.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flintap {

// Why something failed, finer than errno. src/reasons.ts says what to do about each.
namespace reason {
inline constexpr std::string_view no_such_link = "no-such-link";
inline constexpr std::string_view no_such_parent = "no-such-parent";
inline constexpr std::string_view no_such_bridge = "no-such-bridge";
inline constexpr std::string_view not_a_bridge = "not-a-bridge";
inline constexpr std::string_view name_taken = "name-taken";
inline constexpr std::string_view alt_name_taken = "alt-name-taken";
inline constexpr std::string_view index_taken = "index-taken";
inline constexpr std::string_view invalid_name = "invalid-name";
inline constexpr std::string_view duplicate_mac = "duplicate-mac";
inline constexpr std::string_view invalid_mac = "invalid-mac";
inline constexpr std::string_view mtu_above_parent = "mtu-above-parent";
inline constexpr std::string_view mtu_out_of_range = "mtu-out-of-range";
inline constexpr std::string_view bridge_full = "bridge-full";
inline constexpr std::string_view other_master = "other-master";
inline constexpr std::string_view cannot_be_port = "cannot-be-port";
inline constexpr std::string_view parent_busy = "parent-busy";
inline constexpr std::string_view parent_unusable = "parent-unusable";
inline constexpr std::string_view parent_wireless = "parent-wireless";
inline constexpr std::string_view no_permission = "no-permission";
inline constexpr std::string_view kind_unsupported = "kind-unsupported";
inline constexpr std::string_view setting_ignored = "setting-ignored";
inline constexpr std::string_view setting_unsupported = "setting-unsupported";
inline constexpr std::string_view proc_sys_read_only = "proc-sys-read-only";
inline constexpr std::string_view tun_device_missing = "tun-device-missing";
inline constexpr std::string_view tun_not_allowed = "tun-not-allowed";
inline constexpr std::string_view tap_held = "tap-held";
inline constexpr std::string_view not_a_tap = "not-a-tap";
inline constexpr std::string_view not_a_macvtap = "not-a-macvtap";
inline constexpr std::string_view queue_already_open = "queue-already-open";
inline constexpr std::string_view microvm_busy = "microvm-busy";
inline constexpr std::string_view queues_held = "queues-held";
inline constexpr std::string_view mknod_not_allowed = "mknod-not-allowed";
inline constexpr std::string_view device_not_allowed = "device-not-allowed";
inline constexpr std::string_view sysfs_foreign = "sysfs-foreign";
inline constexpr std::string_view physical_link = "physical-link";
inline constexpr std::string_view not_ours = "not-ours";
inline constexpr std::string_view too_many_queues = "too-many-queues";
inline constexpr std::string_view no_such_namespace = "no-such-namespace";
inline constexpr std::string_view not_a_namespace = "not-a-namespace";
inline constexpr std::string_view other_namespace = "other-namespace";
inline constexpr std::string_view namespace_not_open = "namespace-not-open";
inline constexpr std::string_view tagged = "tagged";
inline constexpr std::string_view link_is_up = "link-is-up";
inline constexpr std::string_view no_such_alt_name = "no-such-alt-name";
inline constexpr std::string_view no_ipv6 = "no-ipv6";
inline constexpr std::string_view cannot_move = "cannot-move";
inline constexpr std::string_view socket_unreachable = "socket-unreachable";
inline constexpr std::string_view not_adoptable = "not-adoptable";
inline constexpr std::string_view peer_closed = "peer-closed";
inline constexpr std::string_view too_many_descriptors = "too-many-descriptors";
inline constexpr std::string_view outcome_unknown = "outcome-unknown";
inline constexpr std::string_view closed = "closed";
inline constexpr std::string_view aborted = "aborted";
inline constexpr std::string_view kernel = "kernel";

inline constexpr std::array all{
    no_such_link,
    no_such_parent,
    no_such_bridge,
    not_a_bridge,
    name_taken,
    alt_name_taken,
    index_taken,
    invalid_name,
    duplicate_mac,
    invalid_mac,
    mtu_above_parent,
    mtu_out_of_range,
    bridge_full,
    other_master,
    cannot_be_port,
    parent_busy,
    parent_unusable,
    parent_wireless,
    no_permission,
    kind_unsupported,
    setting_unsupported,
    setting_ignored,
    proc_sys_read_only,
    tun_device_missing,
    tun_not_allowed,
    tap_held,
    not_a_tap,
    not_a_macvtap,
    queue_already_open,
    microvm_busy,
    queues_held,
    mknod_not_allowed,
    device_not_allowed,
    sysfs_foreign,
    physical_link,
    not_ours,
    too_many_queues,
    no_such_namespace,
    not_a_namespace,
    other_namespace,
    namespace_not_open,
    tagged,
    link_is_up,
    no_such_alt_name,
    no_ipv6,
    cannot_move,
    socket_unreachable,
    not_adoptable,
    peer_closed,
    too_many_descriptors,
    outcome_unknown,
    closed,
    aborted,
    kernel,
};
}  // namespace reason

// Who has what was asked for: a link, or a process (then it has a number).
struct Holder {
  std::string name;  // the link's, or the process's command
  std::string kind;
  std::string alias;
  std::int64_t pid = 0;
};

struct Failure : std::exception {
  // errno of the refused call; 0 where the library refused by itself.
  int error = 0;
  std::string_view reason = reason::kernel;
  std::string step;
  std::string device;
  std::string kernel_text;
  // For reason::setting_ignored and reason::other_namespace.
  std::string attribute;
  std::string expected;
  std::string actual;
  // The parent or the bridge on which the device was to be.
  std::string on;
  // For a bridge or parent that does not exist: some of those that do, and how many more there are.
  std::optional<std::vector<std::string>> existing;
  std::size_t existing_more = 0;
  std::optional<Holder> holder;
  std::vector<std::string> left_behind;

  Failure(int error_number, std::string_view why, std::string_view at, std::string_view about = {})
      : error(error_number), reason(finer(error_number, why)), step(at), device(about) {}

  [[nodiscard]] const char* what() const noexcept override { return step.c_str(); }

  // For the system call that just failed.
  static Failure of_errno(std::string_view step, std::string_view about = {}) {
    const int error = errno;
    return {error, error == EPERM ? reason::no_permission : reason::kernel, step, about};
  }

 private:
  // Of whichever step, these two say enough.
  static constexpr std::string_view finer(int error, std::string_view why) {
    const bool full = error == EMFILE || error == ENFILE;
    return full && why == reason::kernel ? reason::too_many_descriptors : why;
  }
};

}  // namespace flintap
