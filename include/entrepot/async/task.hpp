// The coroutine type of the house and the only way to start one that nobody awaits.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <functional>
#include <string_view>

namespace entrepot::async {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

using Executor = asio::any_io_executor;

// Runs `task` on `executor`; an exception that leaves it is logged under `what` and goes no
// further. `what` must outlive the task (a literal). `finished`, when given, runs on `executor`
// afterwards.
void spawn(Executor executor, Task<> task, std::string_view what,
           std::function<void()> finished = {});

// The same, for a task whose owner may end it early by emitting a terminal cancellation, from the
// task's own thread: whatever it awaits then gives up (work on a BlockingPool ends first), and
// every further co_await throws operation_aborted.
void spawn_cancellable(Executor executor, Task<> task, std::string_view what,
                       asio::cancellation_slot slot, std::function<void()> finished = {});

// The executor of the awaiting coroutine.
Task<Executor> this_executor();

// Suspends for `duration`; returns early, without an error, when the coroutine is cancelled.
Task<> sleep_for(std::chrono::milliseconds duration);

}  // namespace entrepot::async
