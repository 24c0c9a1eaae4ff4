#include "core/sockets/fd_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/devices/open_queues.h"
#include "core/sockets/unix_address.h"
#include "core/system/seam.h"
#include "core/system/system.h"

namespace flintap {
namespace {

// A listener whose backlog is full is waited for by the kernel alone, which poll can't: in turns,
// so that a caller who gives up is heard.
constexpr timeval kConnectTurn{.tv_sec = 0, .tv_usec = 20'000};

Failure connect_failure(std::string_view path) {
  const int error = errno;
  constexpr std::array kUnreachable{ENOENT, ENOTDIR, ECONNREFUSED, EPROTOTYPE, EACCES, ELOOP};
  const bool unreachable = std::ranges::find(kUnreachable, error) != kUnreachable.end();
  return {error, unreachable ? reason::socket_unreachable : reason::kernel, "connect", path};
}

int option(int descriptor, int name) {
  int value = 0;
  if (sys::getsockopt(descriptor, SOL_SOCKET, name, value) < 0) {
    throw Failure(errno, reason::not_adoptable, "look at the descriptor");
  }
  return value;
}

bool is_send(const SocketTask& task) { return task.kind != SocketTask::Kind::receive; }

// What of a send that failed can't be undone.
void tell_what_was_sent(const SocketTask& task, Failure& failure) {
  if (task.kind != SocketTask::Kind::send || task.sent == 0) return;
  std::string left = std::to_string(task.sent) + " of " + std::to_string(task.bytes.size()) +
                     " bytes, sent to the peer";
  if (!task.lent.empty()) left += " with all descriptors";
  failure.left_behind.push_back(std::move(left));
}

// Forgotten first: once it is closed, the number may be another thread's.
void close_known(Fd descriptor) {
  OpenQueues::of_process().forget(descriptor.get());
  descriptor.reset();
}

}  // namespace

void SocketTask::close_received() {
  for (Fd& each : std::exchange(received, {})) close_known(std::move(each));
}

Fd open_unix_socket() {
  Fd socket = sys::socket(AF_UNIX, SOCK_STREAM, 0);
  if (!socket.valid()) throw Failure::of_errno("open a socket");
  if (sys::set_send_timeout(socket.get(), kConnectTurn) < 0) {
    throw Failure::of_errno("limit the waiting");
  }
  return socket;
}

void prepare_socket(int descriptor, bool owned) {
  constexpr std::string_view kStep = "look at the descriptor";
  if (OpenQueues::of_process().has(descriptor) != owned) {
    throw Failure(owned ? EBADF : EBUSY, reason::not_adoptable, kStep);
  }
  const bool fits = option(descriptor, SO_DOMAIN) == AF_UNIX &&
                    option(descriptor, SO_TYPE) == SOCK_STREAM &&
                    option(descriptor, SO_ACCEPTCONN) == 0;
  if (!fits) throw Failure(EPROTOTYPE, reason::not_adoptable, kStep);
  if (sys::set_close_on_exec(descriptor) < 0) throw Failure::of_errno("close it on exec");
  if (!owned) OpenQueues::of_process().add_other(descriptor);
}

FdSocket::FdSocket(Fd& socket, std::function<void()> on_change)
    : socket_(std::move(socket)), on_change_(std::move(on_change)) {
  try {
    thread_ = start_thread("flintap-socket", [this] { work(); });
  } catch (const Failure&) {
    socket = std::move(socket_);
    throw;
  }
}

FdSocket::~FdSocket() {
  if (!thread_.joinable()) return;  // was left
  {
    const std::scoped_lock lock(mutex_);
    dropped_ = true;
  }
  stop();
  thread_.join();
}

void FdSocket::leave(std::unique_ptr<FdSocket> socket) {
  FdSocket& left = *socket;
  const std::scoped_lock lock(left.mutex_);  // without which it does not come to its end
  left.on_change_ = nullptr;
  left.dropped_ = true;
  LeftThreads::of_process().leave(std::move(left.thread_));
  left.itself_ = std::move(socket);
  left.stop();
}

void FdSocket::stop() {
  stopping_ = true;
  stopping_.notify_all();
  if constexpr (seam::enabled) seam::resume();
  wake_.signal();
}

void FdSocket::submit(std::unique_ptr<SocketTask> task) {
  {
    const std::scoped_lock lock(mutex_);
    if (!end_) {
      submitted_.push_back(std::move(task));
      wake_.signal();
      return;
    }
    task->failure = end_;
    done_.push_back(std::move(task));
  }
  notify();
}

void FdSocket::cancel(std::uint32_t number) {
  {
    const std::scoped_lock lock(mutex_);
    cancelled_.push_back(number);
  }
  wake_.signal();
}

FdSocket::State FdSocket::take() {
  const std::scoped_lock lock(mutex_);
  return {.done = std::exchange(done_, {}), .ended = ended_};
}

void FdSocket::work() {
  std::optional<Failure> failure = failure_of("wait for the socket", [this] {
    const seam::Scope counted;
    serve();
  });
  if (!failure) failure.emplace(0, reason::closed, "wait for the socket");
  {
    const std::scoped_lock lock(mutex_);
    end_ = failure;
    std::ranges::move(std::exchange(submitted_, {}), std::back_inserter(sends_));
  }
  fail(sends_, *failure);
  fail(receives_, *failure);
  stopping_.wait(false);
  close();
  notify();
  std::unique_ptr<FdSocket> itself;
  {
    const std::scoped_lock lock(mutex_);
    itself = std::move(itself_);
  }
  if (itself) LeftThreads::of_process().ends();
}

void FdSocket::close() {
  close_known(std::move(socket_));
  std::vector<std::unique_ptr<SocketTask>> nobodys;
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  if (dropped_) nobodys = std::exchange(done_, {});
}

void FdSocket::notify() {
  const std::scoped_lock lock(mutex_);
  if (on_change_) on_change_();
}

void FdSocket::serve() {
  while (!stopping_) {
    fetch();
    advance(sends_);
    advance(receives_);
    if (!stopping_) wait();
  }
}

void FdSocket::fetch() {
  std::vector<std::uint32_t> cancelled;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& task : std::exchange(submitted_, {})) {
      Tasks& tasks = is_send(*task) ? sends_ : receives_;
      tasks.push_back(std::move(task));
    }
    cancelled = std::exchange(cancelled_, {});
  }
  for (const std::uint32_t number : cancelled) {
    give_up(sends_, number);
    give_up(receives_, number);
  }
}

void FdSocket::give_up(Tasks& tasks, std::uint32_t number) {
  const auto found =
      std::ranges::find_if(tasks, [number](const auto& task) { return task->number == number; });
  if (found == tasks.end()) return;
  auto task = std::move(*found);
  tasks.erase(found);
  task->failure.emplace(ECANCELED, reason::aborted, "wait for the peer");
  finish(std::move(task));
}

void FdSocket::fail(Tasks& tasks, const Failure& failure) {
  for (auto& task : std::exchange(tasks, {})) {
    task->failure = failure;
    finish(std::move(task));
  }
}

void FdSocket::advance(Tasks& tasks) {
  while (!tasks.empty() && !stopping_) {
    SocketTask& next = *tasks.front();
    bool done = true;
    next.failure = failure_of("use the socket", [&] { done = attempt(next); });
    if (!done && !next.failure) return;
    auto task = std::move(tasks.front());
    tasks.pop_front();
    finish(std::move(task));
  }
}

bool FdSocket::attempt(SocketTask& task) {
  switch (task.kind) {
    case SocketTask::Kind::connect:
      return connect(task);
    case SocketTask::Kind::send:
      return send(task);
    case SocketTask::Kind::receive:
      return receive(task);
  }
  return true;
}

bool FdSocket::connect(const SocketTask& task) {
  const std::string_view path(reinterpret_cast<const char*>(task.bytes.data()), task.bytes.size());
  const UnixAddress address(path);
  if (sys::connect(socket_.get(), address.get(), address.length()) == 0) return true;
  if (errno == EAGAIN || errno == EINTR) return false;
  throw connect_failure(path);
}

bool FdSocket::send(SocketTask& task) {
  if (cut_off_) throw Failure(0, reason::closed, "send behind a message that was cut off");
  while (task.sent < task.bytes.size()) {
    const auto descriptors = std::span(task.lent).first(task.sent == 0 ? task.lent.size() : 0);
    const auto rest = std::span(task.bytes).subspan(task.sent);
    const auto sent = send_some(socket_.get(), rest, descriptors);
    if (!sent) return false;
    task.sent += *sent;
    if (stopping_) return task.sent == task.bytes.size();
  }
  return true;
}

bool FdSocket::receive(SocketTask& task) const {
  auto message = receive_some(socket_.get(), task.max_bytes, task.max_descriptors);
  if (!message) return false;
  task.bytes = std::move(message->bytes);
  for (Fd& each : message->descriptors) {
    OpenQueues::of_process().add_other(each.get());
    task.received.push_back(std::move(each));
  }
  return true;
}

// The socket is looked at only for what is waited for: one whose peer is gone is always ready. The
// kernel waits within a connect, so that is done over again at once.
void FdSocket::wait() {
  const bool connecting = !sends_.empty() && sends_.front()->kind == SocketTask::Kind::connect;
  const auto wanted = static_cast<short>((sends_.empty() || connecting ? 0 : POLLOUT) |
                                         (receives_.empty() ? 0 : POLLIN));
  std::array<pollfd, 2> sources{
      {{.fd = wake_.descriptor(), .events = POLLIN, .revents = 0},
       {.fd = wanted == 0 ? -1 : socket_.get(), .events = wanted, .revents = 0}}};
  if (sys::poll(sources, connecting ? 0 : -1) < 0) throw Failure::of_errno("wait for the socket");
  if (sources[0].revents != 0) wake_.clear();
}

void FdSocket::finish(std::unique_ptr<SocketTask> task) {
  if (task->failure) {
    task->close_received();
    tell_what_was_sent(*task, *task->failure);
    cut_off_ = cut_off_ || !task->failure->left_behind.empty();
  }
  {
    const std::scoped_lock lock(mutex_);
    done_.push_back(std::move(task));
  }
  notify();
}

}  // namespace flintap
