#include "core/devices/queue_holder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

#include "core/system/system.h"

namespace flintap {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::optional<std::string> read_file(const std::string& path) {
  return sys::read_small_file(AT_FDCWD, path.c_str());
}

std::vector<std::string> names_in(const std::string& path, std::size_t most) {
  return sys::list_directory(path.c_str(), most).value_or(std::vector<std::string>());
}

// Looks through the descriptors of processes, so many in all.
class Search {
 public:
  explicit Search(std::size_t most) : left_(most) {}

  // Whether a descriptor of the process passes, which is given as its name in /proc/PID/fd.
  template <class IsQueue>
  bool finds_in(const std::string& process, IsQueue is_queue) {
    const auto descriptors = names_in(process + "/fd", left_);
    left_ -= std::min(left_, descriptors.size());
    return std::ranges::any_of(descriptors, is_queue);
  }

 private:
  std::size_t left_;
};

std::vector<std::string> processes() {
  auto names = names_in("/proc", kAll);
  std::erase_if(names, [](const std::string& name) { return number_of(name) == 0; });
  return names;
}

std::string below(std::string_view process, std::string_view folder, std::string_view name) {
  std::string path(process);
  return path.append(folder).append(name);
}

Holder holder_of_process(const std::string& process) {
  const std::string pid = process.substr(process.rfind('/') + 1);
  return {.name = read_file(process + "/comm").value_or(""),
          .kind = {},
          .alias = {},
          .pid = number_of(pid)};
}

// Whether a path ends in that name. Of a private node, which is gone, /proc says so behind it.
bool is_called(std::string_view path, const std::string& name) {
  constexpr std::string_view kGone = " (deleted)";
  if (path.ends_with(kGone)) path.remove_suffix(kGone.size());
  return path.ends_with("/" + name);
}

}  // namespace

std::optional<Holder> find_tap_holder(const std::string& tap,
                                      std::optional<std::int64_t> network_namespace) {
  const std::string here = "net:[" + std::to_string(network_namespace.value_or(0)) + "]";
  const std::int64_t own = number_of(sys::read_symbolic_link("/proc/self").value_or(""));
  const std::string line = "\niff:\t" + tap + "\n";
  // It is for the words of a failure only: a tenth of a second at most.
  constexpr std::size_t kEnough = 50'000;
  Search search(kEnough);
  std::optional<Holder> elsewhere;
  for (const std::string& pid : processes()) {
    const std::string process = "/proc/" + pid;
    const bool has_it = search.finds_in(process, [&](const std::string& descriptor) {
      const auto file = sys::read_symbolic_link(below(process, "/fd/", descriptor).c_str());
      if (!file || !file->ends_with("/net/tun")) return false;
      const auto info = read_file(below(process, "/fdinfo/", descriptor));
      return info && ("\n" + *info + "\n").find(line) != std::string::npos;
    });
    if (!has_it) continue;
    Holder holder = holder_of_process(process);
    if (sys::read_symbolic_link((process + "/ns/net").c_str()) == here) return holder;
    if (!elsewhere || holder.pid == own) elsewhere = std::move(holder);
  }
  return elsewhere;
}

std::optional<Holder> find_macvtap_holder(dev_t device, const std::string& node) {
  // VMMs are the latest processes: who stops early misses them.
  Search search(kAll);
  for (const std::string& pid : processes()) {
    const std::string process = "/proc/" + pid;
    const bool has_it = search.finds_in(process, [&](const std::string& descriptor) {
      const std::string path = below(process, "/fd/", descriptor);
      const auto file = sys::read_symbolic_link(path.c_str());
      struct stat opened {};
      if (!file || !is_called(*file, node) || sys::stat(path.c_str(), opened) < 0) return false;
      return S_ISCHR(opened.st_mode) && opened.st_rdev == device;
    });
    if (has_it) return holder_of_process(process);
  }
  return {};
}

}  // namespace flintap
