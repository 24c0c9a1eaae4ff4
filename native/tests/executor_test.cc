#include "core/executor/executor.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <future>
#include <numeric>
#include <stdexcept>

#include "core/link/requests.h"
#include "tests/finished.h"
#include "tests/process.h"

using namespace flintap;
using tests::Finished;

namespace {

// What the operation is to do on its thread.
struct WorkRequest : Record {
  std::function<void(Context&)> work;
};

Outcome run_work(Context& context, Record& request) {
  const auto& work = static_cast<WorkRequest&>(request).work;
  if (work) work(context);
  return {};
}

constexpr Operation work_operation{"work", nullptr, run_work};

struct NumberedTask : Task {
  int number = 0;
};

std::unique_ptr<NumberedTask> task_to(std::function<void(Context&)> work, int number = 0) {
  auto request = std::make_unique<WorkRequest>();
  request->work = std::move(work);
  auto task = std::make_unique<NumberedTask>();
  task->operation = &work_operation;
  task->request = std::move(request);
  task->number = number;
  return task;
}

std::vector<int> numbers_of(const std::vector<std::unique_ptr<Task>>& tasks) {
  std::vector<int> numbers;
  numbers.reserve(tasks.size());
  for (const auto& task : tasks) numbers.push_back(static_cast<NumberedTask&>(*task).number);
  return numbers;
}

std::vector<int> up_to(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// The failure of one task.
std::optional<Failure> failure_of(std::function<void(Context&)> work) {
  Finished finished;
  Executor executor(finished.callback(), nullptr);
  executor.submit(task_to(std::move(work)));
  return finished.wait_for(1)[0]->failure;
}

// Until a thread of this process waits for something.
void wait_until_asleep(pid_t thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (char state = 'R'; state != 'S';) {
    std::ifstream file(path);
    std::string stat;
    std::getline(file, stat);
    const std::size_t name_end = stat.rfind(')');
    REQUIRE(name_end != std::string::npos);
    state = stat.at(name_end + 2);
    std::this_thread::yield();
  }
}

}  // namespace

TEST_SUITE("executor") {
  TEST_CASE("operations run in the order in which they were submitted") {
    constexpr int kMany = 500;
    Finished finished;
    std::vector<int> ran;
    Executor executor(finished.callback(), nullptr);
    for (int number = 0; number < kMany; ++number) {
      executor.submit(task_to([&ran, number](Context&) { ran.push_back(number); }, number));
    }
    const auto tasks = finished.wait_for(kMany);
    CHECK(ran == up_to(kMany));
    CHECK(numbers_of(tasks) == up_to(kMany));
  }

  TEST_CASE("what several threads submit all runs, each thread's in its order") {
    constexpr int kThreads = 4;
    constexpr int kEach = 100;
    Finished finished;
    std::array<std::vector<int>, kThreads> ran;
    Executor executor(finished.callback(), nullptr);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (auto& list : ran) {
      threads.emplace_back([&executor, &list] {
        for (int number = 0; number < kEach; ++number) {
          executor.submit(task_to([&list, number](Context&) { list.push_back(number); }));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(finished.wait_for(std::size_t{kThreads} * kEach).size() == kThreads * kEach);
    for (const auto& list : ran) CHECK(list == up_to(kEach));
  }

  TEST_CASE("all run on one thread of their own, which no signal interrupts") {
    Finished finished;
    std::vector<std::thread::id> threads;
    std::array<char, 16> name{};
    sigset_t blocked{};
    Executor executor(finished.callback(), nullptr);
    for (int times = 0; times < 2; ++times) {
      executor.submit(task_to([&](Context&) {
        threads.push_back(std::this_thread::get_id());
        pthread_getname_np(pthread_self(), name.data(), name.size());
        pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
      }));
    }
    finished.wait_for(2);
    CHECK(threads[0] == threads[1]);
    CHECK(threads[0] != std::this_thread::get_id());
    CHECK(std::string(name.data()) == "flintap");
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGPROF}) {
      CHECK(sigismember(&blocked, signal) == 1);
    }
  }

  TEST_CASE("operations share a socket that works") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    std::vector<const netlink::Socket*> sockets;
    std::vector<std::string> names;
    for (int times = 0; times < 2; ++times) {
      executor.submit(task_to([&](Context& context) {
        sockets.push_back(&context.socket());
        const auto request = requests::get(Reference::by_index(1), "look up");
        context.socket().exchange({&request, 1}, [&](std::size_t, const netlink::Frame& frame) {
          names.push_back(*read_link(frame)->name);
        });
      }));
    }
    const auto tasks = finished.wait_for(2);
    for (const auto& task : tasks) CHECK_FALSE(task->failure);
    CHECK(sockets[0] == sockets[1]);
    CHECK(names == std::vector<std::string>{"lo", "lo"});
  }

  TEST_CASE("no socket is opened for an operation that takes none") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    executor.submit(task_to({}));
    finished.wait_for(1);
    CHECK(tests::netlink_sockets().empty());
  }

  // A dump that was cut short goes on in its socket.
  TEST_CASE("after an outcome that is unknown, the next operation has another socket") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    std::vector<std::uint64_t> numbers;
    const auto look = [&](Context& context) {
      context.socket();
      numbers.push_back(tests::netlink_sockets().at(0).number);
    };
    executor.submit(task_to([&](Context& context) {
      look(context);
      throw Failure(ENODEV, reason::no_such_link, "look up");
    }));
    executor.submit(task_to([&](Context& context) {
      look(context);
      throw Failure(ENOBUFS, reason::outcome_unknown, "read the kernel's answer");
    }));
    executor.submit(task_to(look));
    finished.wait_for(3);
    REQUIRE(numbers.size() == 3);
    CHECK(numbers[1] == numbers[0]);
    CHECK(numbers[2] != numbers[1]);
  }

  TEST_CASE("a failure is handed over, and the next operation runs") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    executor.submit(task_to([](Context&) {
      Failure failure(EEXIST, reason::name_taken, "create", "mv0");
      failure.left_behind.emplace_back("a link");
      throw failure;
    }));
    executor.submit(task_to({}));
    const auto tasks = finished.wait_for(2);
    REQUIRE(tasks[0]->failure);
    CHECK(tasks[0]->failure->error == EEXIST);
    CHECK(tasks[0]->failure->reason == reason::name_taken);
    CHECK(tasks[0]->failure->device == "mv0");
    CHECK(tasks[0]->failure->left_behind.size() == 1);
    CHECK_FALSE(tasks[1]->failure);
  }

  TEST_CASE("whatever an operation throws becomes a failure") {
    const auto memory = failure_of([](Context&) { throw std::bad_alloc(); });
    REQUIRE(memory);
    CHECK(memory->error == ENOMEM);
    const auto anything = failure_of([](Context&) { throw std::runtime_error("anything"); });
    REQUIRE(anything);
    CHECK(anything->error == 0);
    CHECK(anything->reason == reason::kernel);
  }

  TEST_CASE("stopping ends after the operation that runs, and drops what is queued") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    std::promise<void> started;
    std::promise<void> go_on;
    executor.submit(task_to([&](Context&) {
      started.set_value();
      go_on.get_future().wait();
    }));
    started.get_future().wait();
    for (int number = 1; number < 100; ++number) executor.submit(task_to({}, number));
    std::promise<pid_t> stopper_number;
    std::thread stopper([&] {
      stopper_number.set_value(gettid());
      executor.stop();
    });
    // Only then has it said so, and waits for the thread.
    wait_until_asleep(stopper_number.get_future().get());
    go_on.set_value();
    stopper.join();
    CHECK(numbers_of(finished.wait_for(1)) == std::vector<int>{0});
    CHECK(finished.count() == 0);
    executor.stop();
  }

  TEST_CASE("what is given up before its turn never runs") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    std::promise<void> go_on;
    executor.submit(task_to([&](Context&) { go_on.get_future().wait(); }));
    bool ran = false;
    auto task = task_to([&](Context&) { ran = true; });
    Cancellation& cancellation = task->cancellation;
    executor.submit(std::move(task));
    CHECK(cancellation.request());
    go_on.set_value();
    const auto tasks = finished.wait_for(2);
    CHECK_FALSE(ran);
    REQUIRE(tasks[1]->failure);
    CHECK(tasks[1]->failure->reason == reason::aborted);
  }

  TEST_CASE("what is given up while it runs hears of it, and the next does not") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    std::promise<void> begun;
    std::promise<void> go_on;
    auto task = task_to([&](Context& context) {
      context.stop_if_cancelled();
      begun.set_value();
      go_on.get_future().wait();
      context.stop_if_cancelled();
    });
    Cancellation& cancellation = task->cancellation;
    executor.submit(std::move(task));
    executor.submit(task_to([](Context& context) { context.stop_if_cancelled(); }));
    begun.get_future().wait();
    CHECK_FALSE(cancellation.request());
    go_on.set_value();
    const auto tasks = finished.wait_for(2);
    REQUIRE(tasks[0]->failure);
    CHECK(tasks[0]->failure->error == ECANCELED);
    CHECK_FALSE(tasks[1]->failure);
  }

  TEST_CASE("an idle one stops at once") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    executor.stop();
    CHECK(finished.count() == 0);
  }

  TEST_CASE("its thread closes its socket, not whoever stops it") {
    Finished finished;
    Executor executor(finished.callback(), nullptr);
    executor.submit(task_to([](Context& context) { context.socket(); }));
    finished.wait_for(1);
    CHECK(tests::netlink_sockets().size() == 1);
    executor.stop();
    CHECK(tests::netlink_sockets().empty());
  }

  TEST_CASE("a task without operation ends the thread, when all before it is done") {
    const std::size_t descriptors = tests::open_descriptors();
    Finished finished;
    std::optional<Executor> executor(std::in_place, finished.callback(), nullptr);
    executor->submit(task_to({}, 1));
    executor->submit(task_to({}, 2));
    auto end = std::make_unique<NumberedTask>();
    end->number = 3;
    executor->submit(std::move(end));
    executor->submit(task_to({}, 4));
    CHECK(numbers_of(finished.wait_for(3)) == std::vector<int>{1, 2, 3});
    executor.reset();
    CHECK(finished.count() == 0);
    CHECK(tests::open_descriptors() == descriptors);
  }

  TEST_CASE("a thousand of them leave no thread and no descriptor") {
    Finished finished;
    // ThreadSanitizer starts one of its own beside the first.
    { const Executor first(finished.callback(), nullptr); }
    const std::size_t threads = tests::running_threads();
    const std::size_t descriptors = tests::open_descriptors();
    for (int times = 0; times < 1000; ++times) {
      Executor executor(finished.callback(), nullptr);
      executor.submit(task_to([](Context& context) { context.socket(); }));
      if (times % 2 == 0) {
        executor.submit(std::make_unique<NumberedTask>());
        finished.wait_for(2);
      }
    }
    CHECK(tests::comes_down_to(threads));
    CHECK(tests::open_descriptors() == descriptors);
  }
}
