#include "core/devices/tap_holder.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "core/system/system.h"

namespace flintap::tun {
namespace {

// A tenth of a second at most.
constexpr std::size_t kMostDescriptors = 50'000;

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

class Search {
 public:
  explicit Search(const std::string& tap) : line_("\niff:\t" + tap + "\n") {}

  // Whether a descriptor of the process is a queue of the tap.
  bool is_held_by(const std::string& process) {
    const auto descriptors = names_in(process + "/fd", left_);
    left_ -= std::min(left_, descriptors.size());
    return std::ranges::any_of(descriptors, [&](const std::string& descriptor) {
      const auto file = sys::read_symbolic_link((process + "/fd/" + descriptor).c_str());
      if (!file || !file->ends_with("/net/tun")) return false;
      const auto info = read_file(process + "/fdinfo/" + descriptor);
      return info && ("\n" + *info + "\n").find(line_) != std::string::npos;
    });
  }

 private:
  std::string line_;
  std::size_t left_ = kMostDescriptors;
};

}  // namespace

std::optional<Holder> find_holder(const std::string& tap,
                                  std::optional<std::int64_t> network_namespace) {
  constexpr std::size_t kMostProcesses = kMostDescriptors;
  const std::string here = "net:[" + std::to_string(network_namespace.value_or(0)) + "]";
  const std::int64_t own = number_of(sys::read_symbolic_link("/proc/self").value_or(""));
  Search search(tap);
  std::optional<Holder> elsewhere;
  for (const std::string& entry : names_in("/proc", kMostProcesses)) {
    const std::int64_t pid = number_of(entry);
    const std::string process = "/proc/" + entry;
    if (pid == 0 || !search.is_held_by(process)) continue;
    Holder holder{
        .name = read_file(process + "/comm").value_or(""), .kind = {}, .alias = {}, .pid = pid};
    if (sys::read_symbolic_link((process + "/ns/net").c_str()) == here) return holder;
    if (!elsewhere || pid == own) elsewhere = std::move(holder);
  }
  return elsewhere;
}

}  // namespace flintap::tun
