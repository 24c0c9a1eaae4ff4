// One thread that watches the links of a network namespace, apart from any operation: a slow one
// delays no event.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/devices/network_namespace.h"
#include "core/failure.h"
#include "core/system/native_thread.h"
#include "core/watch/link_news.h"

namespace flintap {

namespace netlink {
class EventSocket;
class Socket;
}  // namespace netlink

class LinkWatch {
 public:
  struct Settings {
    // Null: that of the process. Entered by the watch's thread alone.
    std::shared_ptr<const NetworkNamespace> network_namespace;
    int receive_buffer = 0;  // bytes
  };

  // What there is to take: on the watch's thread, `on_change` is called when it may have become
  // more than it was, and must not throw.
  struct State {
    std::vector<LinkNews> news;
    bool more = false;               // what is still to be taken became news no later than this
    std::optional<Failure> failure;  // after it, nothing comes any more
    bool ended = false;
  };

  // Throws Failure when no thread can be had.
  LinkWatch(Settings settings, std::function<void()> on_change);
  ~LinkWatch();
  LinkWatch(const LinkWatch&) = delete;
  LinkWatch& operator=(const LinkWatch&) = delete;

  // From any thread. News come only when all links have been listed.
  //
  // They come in rounds, since what one link is may depend on another: a port can be told of before
  // its bridge. A round is all there is when it begins; it is taken in parts, and complete with the
  // one that has no more.
  State take(std::size_t most);
  [[nodiscard]] bool anything();
  // Asks the thread to end; `on_change` is its last call.
  void stop();

 private:
  void work();
  void watch();
  // Reads what is there, and passes over it once events were lost. True: they were.
  bool drain(netlink::EventSocket& events, bool lost);
  // False: it has to be done again.
  bool list(std::optional<netlink::Socket>& requests);
  bool list_by(netlink::Socket& requests);
  void wait(const netlink::EventSocket& events, int timeout);
  void tell();

  Settings settings_;
  std::function<void()> on_change_;
  std::atomic<bool> stopping_{false};
  WakeUp wake_;  // ends the waiting for events

  std::mutex mutex_;
  LinkNewsQueue news_;          // guarded by mutex_, as all below
  std::deque<LinkNews> round_;  // of them, those that are being taken
  std::optional<Failure> failure_;
  bool listed_ = false;
  bool ended_ = false;

  // The watch's thread alone.
  std::optional<std::int64_t> number_;  // of the namespace
  int failed_listings_ = 0;             // since the last one that did not fail
  std::thread thread_;
};

}  // namespace flintap
