// Runs one coroutine to its end on an io_context of its own and hands back what it returned or
// threw.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "entrepot/async/task.hpp"

namespace entrepot::test {

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
T run_task(async::Task<T> task) {
  boost::asio::io_context context(1);
  return run_on(context, std::move(task));
}

}  // namespace entrepot::test
