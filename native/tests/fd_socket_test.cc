// Descriptors and bytes through pairs of sockets, which take no privileges.
#include "core/sockets/fd_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/devices/open_queues.h"
#include "core/sockets/fd_message.h"
#include "core/system/system.h"
#include "tests/process.h"

using namespace flintap;

namespace {

std::array<Fd, 2> connected() {
  std::array<Fd, 2> ends;
  REQUIRE(sys::socket_pair(AF_UNIX, SOCK_STREAM, ends) == 0);
  return ends;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t send(const Fd& socket, std::string_view text, std::span<const int> descriptors = {}) {
  const auto sent = send_some(socket.get(), bytes_of(text), descriptors);
  REQUIRE(sent);
  return *sent;
}

FdMessage receive(const Fd& socket, std::size_t max_bytes = 100,
                  std::size_t max_descriptors = kMostDescriptors) {
  auto message = receive_some(socket.get(), max_bytes, max_descriptors);
  REQUIRE(message);
  return std::move(*message);
}

// The reason of the Failure that `body` throws.
template <class Body>
std::string reason_of(Body body) {
  const auto failure = failure_of("test", body);
  return failure ? std::string(failure->reason) : "none";
}

bool is_same_file(int one, int other) {
  struct stat first {};
  struct stat second {};
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino &&
         first.st_dev == second.st_dev;
}

// A socket whose tasks a test waits for.
class Served {
 public:
  explicit Served(Fd socket) : socket_(socket, [this] { tell(); }) {}

  void submit(SocketTask::Kind kind, std::string_view text, std::vector<int> lent = {},
              std::uint32_t number = 0) {
    auto task = std::make_unique<SocketTask>();
    const auto bytes = bytes_of(text);
    task->kind = kind;
    task->bytes.assign(bytes.begin(), bytes.end());
    task->lent = std::move(lent);
    task->number = number;
    task->max_bytes = 1U << 20U;
    task->max_descriptors = kMostDescriptors;
    socket_.submit(std::move(task));
  }

  std::unique_ptr<SocketTask> next() {
    while (done_.empty()) {
      const std::uint32_t seen = told_;
      auto state = socket_.take();
      for (auto& task : state.done) done_.push_back(std::move(task));
      if (done_.empty()) told_.wait(seen);
    }
    auto task = std::move(done_.front());
    done_.erase(done_.begin());
    return task;
  }

  FdSocket& socket() { return socket_; }

 private:
  void tell() {
    ++told_;
    told_.notify_one();
  }

  std::atomic<std::uint32_t> told_{0};
  std::vector<std::unique_ptr<SocketTask>> done_;
  FdSocket socket_;
};

using Kind = SocketTask::Kind;

// More than a socket has room for.
const std::string& much() {
  static const auto* text = new std::string(8U << 20U, 'x');
  return *text;
}

}  // namespace

TEST_SUITE("descriptors by a socket") {
  TEST_CASE("they come with the bytes, as others of the same file, closed on exec") {
    const auto ends = connected();
    const auto files = connected();
    const std::array numbers{files[0].get(), files[1].get()};
    CHECK(send(ends[0], "here", numbers) == 4);
    const FdMessage message = receive(ends[1]);
    CHECK(text_of(message.bytes) == "here");
    REQUIRE(message.descriptors.size() == 2);
    for (std::size_t at = 0; at < 2; ++at) {
      const int number = message.descriptors[at].get();
      CHECK(number != numbers[at]);
      CHECK(is_same_file(number, numbers[at]));
      CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    }
  }

  TEST_CASE("those of two messages never come at once, bytes before them do") {
    const auto ends = connected();
    const std::array number{ends[0].get()};
    send(ends[0], "a");
    send(ends[0], "b", number);
    send(ends[0], "c", number);
    send(ends[0], "d");
    const FdMessage first = receive(ends[1]);
    CHECK(text_of(first.bytes) == "ab");
    CHECK(first.descriptors.size() == 1);
    CHECK(text_of(receive(ends[1]).bytes) == "c");
    CHECK(text_of(receive(ends[1]).bytes) == "d");
  }

  TEST_CASE("they come with the first bytes that are read of a message") {
    const auto ends = connected();
    const std::array number{ends[0].get()};
    send(ends[0], "abc", number);
    CHECK(receive(ends[1], 1).descriptors.size() == 1);
    CHECK(receive(ends[1], 2).descriptors.empty());
  }

  TEST_CASE("there is nothing yet, then the end") {
    auto ends = connected();
    CHECK_FALSE(receive_some(ends[1].get(), 1, 1));
    ends[0].reset();
    CHECK(receive(ends[1]).bytes.empty());
  }

  TEST_CASE("take the room that they need, and not what they might") {
    const auto ends = connected();
    send(ends[0], "x");
    CHECK(receive(ends[1], std::size_t{1} << 24U).bytes.capacity() < (std::size_t{1} << 16U));
    const std::string text(std::size_t{100'000}, 'x');
    send(ends[0], text);
    CHECK(text_of(receive(ends[1], std::size_t{1} << 24U).bytes) == text);
  }

  TEST_CASE("more than may come are a failure, and none of them stays open") {
    const auto ends = connected();
    const std::vector<int> numbers(3, ends[0].get());
    const std::size_t before = tests::open_descriptors();
    for (std::size_t room = 0; room < numbers.size(); ++room) {
      send(ends[0], "x", numbers);
      CHECK(reason_of([&] { receive_some(ends[1].get(), 1, room); }) == "too-many-descriptors");
      CHECK(tests::open_descriptors() == before);
    }
    send(ends[0], "x", numbers);
    CHECK(receive(ends[1], 1, 3).descriptors.size() == 3);
  }

  TEST_CASE("a message has as many as the kernel allows, and no more") {
    const auto ends = connected();
    std::vector<int> numbers(kMostDescriptors, ends[0].get());
    send(ends[0], "x", numbers);
    CHECK(receive(ends[1]).descriptors.size() == kMostDescriptors);
  }

  TEST_CASE("a peer that is closed is named") {
    auto ends = connected();
    send(ends[0], "unread");
    ends[1].reset();
    CHECK(reason_of([&] { send_some(ends[0].get(), bytes_of("x"), {}); }) == "peer-closed");
    CHECK(reason_of([&] { receive_some(ends[0].get(), 1, 1); }) == "peer-closed");
    // Once told, it is the end.
    CHECK(receive(ends[0]).bytes.empty());
  }

  TEST_CASE("a descriptor that is none is refused, and nothing is sent") {
    const auto ends = connected();
    const std::array number{1'000'000};
    CHECK(reason_of([&] { send_some(ends[0].get(), bytes_of("x"), number); }) == "kernel");
    CHECK_FALSE(receive_some(ends[1].get(), 1, 1));
  }
}

TEST_SUITE("a socket's thread") {
  TEST_CASE("sends what has no room at once, the descriptors once") {
    auto ends = connected();
    Served sender(std::move(ends[0]));
    Served receiver(std::move(ends[1]));
    const auto files = connected();
    sender.submit(Kind::send, much(), {files[0].get()});
    std::size_t bytes = 0;
    std::size_t descriptors = 0;
    while (bytes < much().size()) {
      receiver.submit(Kind::receive, "");
      const auto part = receiver.next();
      REQUIRE_FALSE(part->failure);
      bytes += part->bytes.size();
      descriptors += part->received.size();
    }
    CHECK(descriptors == 1);
    CHECK_FALSE(sender.next()->failure);
  }

  TEST_CASE("receives while a send waits, and both in the order of the calls") {
    auto ends = connected();
    Served one(std::move(ends[0]));
    one.submit(Kind::send, much(), {}, 1);
    one.submit(Kind::receive, "");
    one.submit(Kind::receive, "", {}, 2);
    send(ends[1], "first");
    CHECK(text_of(one.next()->bytes) == "first");
    send(ends[1], "second");
    CHECK(text_of(one.next()->bytes) == "second");
  }

  TEST_CASE("gives up what waits, and says what was sent of it") {
    auto ends = connected();
    Served one(std::move(ends[0]));
    one.submit(Kind::receive, "", {}, 1);
    one.submit(Kind::send, much(), {ends[1].get()}, 2);
    one.submit(Kind::send, "behind", {}, 3);
    one.socket().cancel(1);
    const auto receiving = one.next();
    REQUIRE(receiving->failure);
    CHECK(receiving->failure->reason == reason::aborted);
    CHECK(receiving->failure->left_behind.empty());
    // Something of it has been sent once there is something to read.
    pollfd readable{.fd = ends[1].get(), .events = POLLIN, .revents = 0};
    REQUIRE(poll(&readable, 1, 10'000) == 1);
    one.socket().cancel(2);
    const auto sending = one.next();
    REQUIRE(sending->failure);
    CHECK(sending->failure->reason == reason::aborted);
    REQUIRE(sending->failure->left_behind.size() == 1);
    CHECK(sending->failure->left_behind[0].ends_with("sent to the peer with all descriptors"));
    const auto behind = one.next();
    REQUIRE(behind->failure);
    CHECK(behind->failure->reason == reason::closed);
  }

  TEST_CASE("fails what waits when it is stopped, and what comes after") {
    auto ends = connected();
    Served one(std::move(ends[0]));
    one.submit(Kind::receive, "");
    one.socket().stop();
    CHECK(one.next()->failure->reason == reason::closed);
    one.submit(Kind::send, "late");
    CHECK(one.next()->failure->reason == reason::closed);
  }

  TEST_CASE("has closed its socket once it tells that it has ended") {
    auto ends = connected();
    std::atomic<bool> told{false};
    FdSocket socket(ends[0], [&told] {
      told = true;
      told.notify_one();
    });
    socket.stop();
    while (!socket.take().ended) {
      told.wait(false);
      told = false;
    }
    CHECK(receive(ends[1]).bytes.empty());
  }

  TEST_CASE("closes what came and was not taken, and forgets it") {
    const std::size_t descriptors = tests::open_descriptors();
    {
      auto ends = connected();
      std::atomic<bool> told{false};
      FdSocket socket(ends[1], [&told] {
        told = true;
        told.notify_one();
      });
      auto task = std::make_unique<SocketTask>();
      task->max_bytes = 1;
      task->max_descriptors = 1;
      socket.submit(std::move(task));
      const std::array number{ends[0].get()};
      send(ends[0], "x", number);
      told.wait(false);
      CHECK(tests::open_descriptors() == descriptors + 4);
    }
    CHECK(tests::open_descriptors() == descriptors);
  }

  TEST_CASE("that was left ends by itself, and says nothing any more") {
    const std::size_t descriptors = tests::open_descriptors();
    const std::size_t threads = tests::running_threads();
    for (int round = 0; round < 20; ++round) {
      auto ends = connected();
      const std::array number{ends[0].get()};
      send(ends[0], "unread", number);
      auto told = std::make_unique<int>(0);
      FdSocket::leave(std::make_unique<FdSocket>(ends[1], [&told] { ++*told; }));
      CHECK(*told == 0);
    }
    LeftThreads::of_process().wait();
    CHECK(tests::open_descriptors() == descriptors);
    CHECK(tests::comes_down_to(threads));
    LeftThreads::of_process().wait();
  }

  TEST_CASE("drops what waits when it goes, and closes its socket") {
    const std::size_t descriptors = tests::open_descriptors();
    const std::size_t threads = tests::running_threads();
    {
      auto ends = connected();
      Served one(std::move(ends[0]));
      one.submit(Kind::receive, "");
    }
    CHECK(tests::open_descriptors() == descriptors);
    CHECK(tests::comes_down_to(threads));
  }

  TEST_CASE("connects, also to a listener whose backlog is full until it accepts") {
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0);
    socklen_t length = sizeof address;
    REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    REQUIRE(listen(listener.get(), 0) == 0);
    const std::string name(address.sun_path, length - offsetof(sockaddr_un, sun_path));
    Served first(open_unix_socket());
    first.submit(Kind::connect, name);
    CHECK_FALSE(first.next()->failure);
    Served second(open_unix_socket());
    second.submit(Kind::connect, name, {}, 1);
    second.socket().cancel(1);
    CHECK(second.next()->failure->reason == reason::aborted);
    Served third(open_unix_socket());
    third.submit(Kind::connect, name);
    const Fd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK_FALSE(third.next()->failure);
    third.submit(Kind::send, "hello");
    const Fd again(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK_FALSE(third.next()->failure);
    CHECK(text_of(receive(again).bytes) == "hello");
  }

  TEST_CASE("says that nothing listens at a path") {
    for (const auto* path : {"/nonexistent/socket", "/dev/null", "/proc/self/status/socket"}) {
      Served one(open_unix_socket());
      one.submit(Kind::connect, path);
      const auto task = one.next();
      REQUIRE(task->failure);
      CHECK(task->failure->reason == reason::socket_unreachable);
      CHECK(task->failure->device == path);
    }
  }

  TEST_CASE("takes over a connected stream socket that is nobody's, and nothing else") {
    auto ends = connected();
    CHECK(reason_of([&] { prepare_socket(ends[0].get(), true); }) == "not-adoptable");
    CHECK(reason_of([&] { prepare_socket(ends[0].get(), false); }) == "none");
    CHECK(reason_of([&] { prepare_socket(ends[0].get(), true); }) == "none");
    const int number = ends[0].get();
    {
      const Served one(std::move(ends[0]));
      CHECK(reason_of([&] { prepare_socket(number, false); }) == "not-adoptable");
    }
    CHECK(reason_of([&] { prepare_socket(number, false); }) == "not-adoptable");
    const Fd inet(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Fd datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0);
    REQUIRE(listen(listener.get(), 1) == 0);
    for (const Fd* other : {&inet, &datagrams, &listener}) {
      CHECK(reason_of([&] { prepare_socket(other->get(), false); }) == "not-adoptable");
    }
    CHECK(reason_of([&] { prepare_socket(STDIN_FILENO, false); }) == "not-adoptable");
  }
}
