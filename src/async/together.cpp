#include "entrepot/async/together.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "async/waiter.hpp"

namespace entrepot::async {

namespace {

// Touched on one thread only.
struct Group {
  std::size_t running = 0;
  std::exception_ptr failure;
  std::shared_ptr<Waiter> waiter;
};

Task<> run_member(std::shared_ptr<Group> group, Task<> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    if (!group->failure) group->failure = std::current_exception();
  }
  if (--group->running == 0) group->waiter->wake(Wake::notified);
}

}  // namespace

Task<> together(std::vector<Task<>> tasks) {
  if (tasks.empty()) co_return;
  const auto executor = co_await this_executor();
  const auto group = std::make_shared<Group>();
  group->running = tasks.size();
  group->waiter = std::make_shared<Waiter>(executor);
  for (auto& task : tasks) spawn(executor, run_member(group, std::move(task)), "one of several");
  // They ran already, up to their first wait, and may have cancelled us: we stay all the same.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await group->waiter->park(unlimited, OnCancel::stay);
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (group->failure) std::rethrow_exception(group->failure);
}

Task<> give_way() { co_await asio::post(co_await this_executor(), asio::use_awaitable); }

}  // namespace entrepot::async
