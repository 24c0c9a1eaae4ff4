// Links as JSON, written one by one as they come: a listing of thousands that were kept as records
// until all are there would take more memory than a processor has at hand, and more time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json/json_writer.h"
#include "core/json/record_json.h"
#include "core/link/link.h"

namespace flintap {

// How many links JavaScript takes before its event loop goes on.
inline constexpr std::size_t kLinksAtATime = 128;

class LinkList {
 public:
  // Some of the links, as an array.
  struct Part {
    std::string text = "[]";
    bool is_ascii = true;
    std::size_t links = 0;
  };

  // Is told each part but the last as soon as it is whole; nothing takes back all that was told.
  using Tell = std::function<void(std::optional<Part>)>;

  LinkList() = default;
  // Without `tell`, it keeps all parts.
  explicit LinkList(Unknown unknown, Tell tell = nullptr)
      : unknown_(unknown), tell_(std::move(tell)) {}

  void add(const Link& link);
  // Forgets all links so far.
  void restart();
  // All that were not told, each part but the last with as many links as are taken at a time. One
  // part at least.
  std::vector<Part> take();

 private:
  Part end_part();

  Unknown unknown_ = Unknown::left_out;
  Tell tell_;
  bool has_told_ = false;
  std::vector<Part> parts_;
  JsonWriter json_;  // of the part that has begun
  std::size_t links_ = 0;
};

}  // namespace flintap
