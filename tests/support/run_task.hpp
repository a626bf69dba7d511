// Drives coroutines from a test: on a context of the caller's thread, or on the threads of a
// Runtime that runs in the background.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <future>
#include <optional>
#include <thread>

#include "entrepot/async/runtime.hpp"
#include "entrepot/async/task.hpp"

namespace entrepot::test {

// Runs `task` to its end on `context` and returns or throws what it did.
template <class T>
T run_task(async::asio::io_context& context, async::Task<T> task) {
  auto future = async::asio::co_spawn(context, std::move(task), async::asio::use_future);
  context.restart();
  while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (context.run_one() == 0) break;
  }
  return future.get();
}

template <class T>
T run_task(async::Task<T> task) {
  async::asio::io_context context(1);
  return run_task(context, std::move(task));
}

// A Runtime whose threads run until the end of the test's scope.
class RunningRuntime {
 public:
  explicit RunningRuntime(std::size_t threads)
      : runtime_(threads), thread_([this] { runtime_.run(); }) {}
  ~RunningRuntime() { stop(); }

  async::Runtime& get() { return runtime_; }

  // Starts `task` on thread `index`; the future carries its end.
  template <class T>
  std::future<T> start(std::size_t index, async::Task<T> task) {
    return async::asio::co_spawn(runtime_.context(index), std::move(task), async::asio::use_future);
  }

  void stop() {
    runtime_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  async::Runtime runtime_;
  std::thread thread_;
};

}  // namespace entrepot::test
