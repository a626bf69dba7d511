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
#include <utility>

#include "entrepot/async/runtime.hpp"
#include "entrepot/async/task.hpp"

namespace entrepot::test {

// Runs `task` to its end on `context` and returns or throws what it did.
inline void run_on(boost::asio::io_context& context, async::Task<> task) {
  bool finished = false;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
    failure = error;
    finished = true;
  });
  context.restart();
  while (!finished && context.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
}

template <class T>
async::Task<> keep_result(async::Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

template <class T>
T run_on(boost::asio::io_context& context, async::Task<T> task) {
  std::optional<T> result;
  run_on(context, keep_result(std::move(task), result));
  return std::move(*result);
}

template <class T>
T run_task(boost::asio::io_context& context, async::Task<T> task) {
  return run_on(context, std::move(task));
}

template <class T>
T run_task(async::Task<T> task) {
  boost::asio::io_context context(1);
  return run_on(context, std::move(task));
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
    return boost::asio::co_spawn(runtime_.context(index), std::move(task), boost::asio::use_future);
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
