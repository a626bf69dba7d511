#include "entrepot/async/task.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "entrepot/base/log.hpp"

namespace entrepot::async {

namespace {

void log_escaped(std::string_view what, std::exception_ptr escaped) {
  if (!escaped) return;
  try {
    std::rethrow_exception(escaped);
  } catch (const std::exception& e) {
    base::log::error("task failed", {{"task", what}, {"error", e.what()}});
  } catch (...) {
    base::log::error("task failed", {{"task", what}, {"error", "not an exception"}});
  }
}

bool is_cancellation(std::exception_ptr escaped) {
  if (!escaped) return false;
  try {
    std::rethrow_exception(escaped);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

void spawn(Executor executor, Task<> task, std::string_view what, std::function<void()> finished) {
  auto completion = [what, finished = std::move(finished)](std::exception_ptr escaped) {
    log_escaped(what, escaped);
    if (finished) finished();
  };
  asio::co_spawn(executor, std::move(task), std::move(completion));
}

void spawn_cancellable(Executor executor, Task<> task, std::string_view what,
                       asio::cancellation_slot slot, std::function<void()> finished) {
  auto completion = [what, finished = std::move(finished)](std::exception_ptr escaped) {
    if (!is_cancellation(escaped)) log_escaped(what, escaped);
    if (finished) finished();
  };
  asio::co_spawn(executor, std::move(task),
                 asio::bind_cancellation_slot(slot, std::move(completion)));
}

Task<Executor> this_executor() { co_return co_await asio::this_coro::executor; }

Task<> sleep_for(std::chrono::milliseconds duration) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace entrepot::async
