// This machine has no wireless interface: what sysfs would say of one is a directory of the test's.
#include "core/operations/wireless_parents.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>

#include "core/system/system.h"

using namespace flintap;

namespace {

Link physical_link(std::uint32_t index, const std::string& name) {
  Link link;
  link.kind = "";
  link.index = index;
  link.name = name;
  return link;
}

// What stands for a sysfs with an interface in it.
class FakeSysfs {
 public:
  FakeSysfs() {
    std::string pattern = (std::filesystem::temp_directory_path() / "flintap-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~FakeSysfs() { std::filesystem::remove_all(path_); }
  FakeSysfs(const FakeSysfs&) = delete;
  FakeSysfs& operator=(const FakeSysfs&) = delete;

  void add(const std::string& name, const std::string& entry) const {
    std::filesystem::create_directories(path_ / "class/net" / name / entry);
  }
  [[nodiscard]] Sysfs open() const { return Sysfs(sys::open(path_.c_str(), O_PATH | O_DIRECTORY)); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_SUITE("a wireless parent (this machine has none)") {
  TEST_CASE("is known by its phy80211 in sysfs, each time it is asked for") {
    const FakeSysfs sysfs;
    sysfs.add("wlan0", "phy80211");
    WirelessParents parents;
    CHECK(parents.has(physical_link(3, "wlan0"), sysfs.open()));
    CHECK(parents.has(physical_link(3, "wlan0"), sysfs.open()));
  }

  TEST_CASE("is no wired one, of which that is remembered by index and name") {
    const FakeSysfs sysfs;
    sysfs.add("eth0", "queues");
    WirelessParents parents;
    CHECK_FALSE(parents.has(physical_link(2, "eth0"), sysfs.open()));
    sysfs.add("eth0", "phy80211");
    CHECK_FALSE(parents.has(physical_link(2, "eth0"), sysfs.open()));
    CHECK(parents.has(physical_link(4, "eth0"), sysfs.open()));
  }

  TEST_CASE("is none that software made") {
    const FakeSysfs sysfs;
    sysfs.add("veth0", "phy80211");
    Link link = physical_link(5, "veth0");
    link.kind = "veth";
    CHECK_FALSE(WirelessParents().has(link, sysfs.open()));
  }

  TEST_CASE("is not assumed where sysfs has no such link") {
    CHECK_FALSE(WirelessParents().has(physical_link(6, "nothing-there")));
  }
}
