#include "tests/fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace flintap::tests {
namespace {

constexpr std::string_view kSuffix = ".hex";

std::pair<std::string, std::string> expectation(const std::string& line) {
  constexpr std::string_view separator = " =";
  const std::size_t name = line.find(' ') + 1;
  const std::size_t end = line.find(separator, name);
  const std::size_t value = std::min(end + separator.size() + 1, line.size());
  return {line.substr(name, end - name), line.substr(value)};
}

Fixture read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no fixture " + path.string());
  Fixture captured;
  captured.name = path.stem();
  std::vector<Octets>* direction = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("expect ")) {
      captured.expected.push_back(expectation(line));
    } else if (line == "sent" || line == "received") {
      direction = line == "sent" ? &captured.sent : &captured.received;
      direction->emplace_back();
    } else if (direction != nullptr) {
      const Octets more = octets(line.substr(0, line.find('#')));
      direction->back().insert(direction->back().end(), more.begin(), more.end());
    } else {
      throw std::runtime_error("octets before any datagram in " + path.string());
    }
  }
  return captured;
}

netlink::Frame only_frame(const std::vector<Octets>& datagrams) {
  if (datagrams.size() != 1) throw std::runtime_error("not exactly one datagram");
  auto frame = netlink::FrameReader(datagrams[0]).next();
  if (!frame) throw std::runtime_error("no message in the datagram");
  return *frame;
}

}  // namespace

Fixture fixture(std::string_view name) {
  return read(std::filesystem::path(FLINTAP_FIXTURES) / (std::string(name) + std::string(kSuffix)));
}

std::vector<Fixture> all_fixtures() {
  std::vector<Fixture> fixtures;
  for (const auto& entry : std::filesystem::directory_iterator(FLINTAP_FIXTURES)) {
    if (entry.path().extension() == kSuffix) fixtures.push_back(read(entry.path()));
  }
  std::ranges::sort(fixtures, {}, &Fixture::name);
  return fixtures;
}

std::vector<Fixture> captured_links() {
  auto fixtures = all_fixtures();
  std::erase_if(fixtures, [](const Fixture& captured) { return captured.expected.empty(); });
  return fixtures;
}

netlink::Frame received_frame(const Fixture& captured) { return only_frame(captured.received); }
netlink::Frame sent_frame(const Fixture& captured) { return only_frame(captured.sent); }

}  // namespace flintap::tests
