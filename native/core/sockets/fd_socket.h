// One thread that sends and receives by a unix stream socket. Each is waited for by poll, so that
// neither holds up the other, nor a caller that gives up.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/failure.h"
#include "core/sockets/fd_message.h"
#include "core/system/native_thread.h"

namespace flintap {

// What is to be done, and once it is done, what came of it.
struct SocketTask {
  enum class Kind : std::uint8_t { connect, send, receive };

  Kind kind = Kind::receive;
  std::uint32_t number = 0;  // 0: can't be cancelled
  // To be sent, or received; the address to connect to, as sun_path has it.
  std::vector<std::byte> bytes;
  // To be sent: still their owner's, who keeps them open until the task has come back.
  std::vector<int> lent;
  // Known to OpenQueues; closed with the task unless somebody takes them.
  std::vector<Fd> received;
  std::size_t sent = 0;
  std::size_t max_bytes = 0;
  std::size_t max_descriptors = 0;
  std::optional<Failure> failure;

  SocketTask() = default;
  SocketTask(const SocketTask&) = delete;
  SocketTask& operator=(const SocketTask&) = delete;
  virtual ~SocketTask() { close_received(); }

  void close_received();
};

// A socket that is not connected yet. Throws Failure.
Fd open_unix_socket();
// Makes sure that a descriptor can be taken over, makes it close-on-exec, and has it known as open,
// so that it is not taken over twice. One that is known already can be if it is `owned` by who
// asks. Throws Failure; then it is as it was.
void prepare_socket(int descriptor, bool owned);

// The last close of a tap waits for the kernel, and so does that of a socket in which one lies
// unread: the socket's thread makes it, as its last call.
class FdSocket {
 public:
  struct State {
    std::vector<std::unique_ptr<SocketTask>> done;
    bool ended = false;  // all is closed, but for what came with `done`
  };

  // `on_change` is called on the socket's thread, or in `submit` once nothing is done any more. It
  // must not throw, nor call the socket. Throws Failure; then the socket is still the caller's.
  FdSocket(Fd& socket, std::function<void()> on_change);
  // Drops what is not done and what was not taken, and waits for the thread.
  ~FdSocket();
  // The same without waiting. `on_change` is not called any more.
  static void leave(std::unique_ptr<FdSocket> socket);
  FdSocket(const FdSocket&) = delete;
  FdSocket& operator=(const FdSocket&) = delete;

  // From any thread. Of a kind, they are done in the order of the calls.
  void submit(std::unique_ptr<SocketTask> task);
  void cancel(std::uint32_t number);
  State take();
  // Asks the thread to end: what is not done fails with reason::closed. `on_change` is called once
  // it has closed the socket.
  void stop();

 private:
  using Tasks = std::deque<std::unique_ptr<SocketTask>>;

  void work();
  void serve();
  void fetch();
  void give_up(Tasks& tasks, std::uint32_t number);
  // As far as can be gone without waiting.
  void advance(Tasks& tasks);
  bool attempt(SocketTask& task);
  bool connect(const SocketTask& task);
  bool send(SocketTask& task);
  bool receive(SocketTask& task) const;
  void wait();
  // With the socket, whatever nobody can take any more.
  void close();
  void notify();
  void fail(Tasks& tasks, const Failure& failure);
  void finish(std::unique_ptr<SocketTask> task);

  WakeUp wake_;  // before the socket, which is not taken where this one can't be had
  Fd socket_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::function<void()> on_change_;  // guarded by mutex_, as all below
  Tasks submitted_;
  std::vector<std::uint32_t> cancelled_;
  std::vector<std::unique_ptr<SocketTask>> done_;
  std::optional<Failure> end_;  // with which what comes later fails, too
  bool ended_ = false;
  bool dropped_ = false;              // nobody takes what is done
  std::unique_ptr<FdSocket> itself_;  // where it was left

  // The socket's thread alone.
  Tasks sends_;  // a connect before them
  Tasks receives_;
  bool cut_off_ =
      false;  // a message was sent in part: what is behind it would be taken for the rest
  std::thread thread_;
};

}  // namespace flintap
