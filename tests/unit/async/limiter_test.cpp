#include "entrepot/async/limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "support/run_task.hpp"

namespace entrepot::async::limiter_test {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds for_ever = std::chrono::hours(24 * 365);

struct Gauge {
  std::atomic<int> now = 0;
  std::atomic<int> peak = 0;

  void enter() {
    const int value = ++now;
    int seen = peak.load();
    while (value > seen && !peak.compare_exchange_weak(seen, value)) {
    }
  }
};

Task<bool> hold(Limiter& limiter, Gauge& gauge, milliseconds longest, milliseconds held) {
  const auto permit = co_await limiter.acquire(longest);
  if (!permit) co_return false;
  gauge.enter();
  co_await sleep_for(held);
  --gauge.now;
  co_return true;
}

TEST(Limiter, never_more_holders_than_the_limit_over_threads) {
  Limiter limiter(4);
  Gauge gauge;
  test::RunningRuntime runtime(3);
  std::vector<std::future<bool>> holders;
  for (std::size_t i = 0; i < 200; ++i) {
    holders.push_back(runtime.start(i % 3, hold(limiter, gauge, for_ever, milliseconds(1))));
  }
  for (auto& holder : holders) EXPECT_TRUE(holder.get());
  EXPECT_EQ(gauge.peak.load(), 4);
  EXPECT_EQ(gauge.now.load(), 0);
}

TEST(Limiter, permits_survive_timeouts_that_race_with_their_release) {
  Limiter limiter(1);
  Gauge gauge;
  test::RunningRuntime runtime(2);
  std::vector<std::future<bool>> holders;
  for (std::size_t i = 0; i < 200; ++i) {
    holders.push_back(
        runtime.start(i % 2, hold(limiter, gauge, milliseconds(1 + i % 5), milliseconds(i % 3))));
  }
  for (auto& holder : holders) holder.get();
  EXPECT_EQ(gauge.peak.load(), 1);
  EXPECT_TRUE(runtime.start(0, hold(limiter, gauge, milliseconds(0), milliseconds(0))).get());
}

Task<> enqueue(Limiter& limiter, std::vector<int>& order, int name) {
  const auto permit = co_await limiter.acquire(for_ever);
  order.push_back(name);
}

Task<std::vector<int>> queue_behind_one_holder(Limiter& limiter) {
  std::vector<int> order;
  const auto executor = co_await this_executor();
  auto first = co_await limiter.acquire(milliseconds(0));
  for (int name = 0; name < 5; ++name) spawn(executor, enqueue(limiter, order, name), "queue");
  co_await sleep_for(milliseconds(2));
  EXPECT_TRUE(order.empty());
  first.reset();
  for (int i = 0; i < 1000 && order.size() < 5; ++i) co_await sleep_for(milliseconds(2));
  co_return order;
}

TEST(Limiter, first_come_first_served) {
  Limiter limiter(1);
  EXPECT_EQ(test::run_task(queue_behind_one_holder(limiter)), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Limiter, absent_when_nothing_comes_free) {
  Limiter limiter(0);
  Gauge gauge;
  EXPECT_FALSE(test::run_task(hold(limiter, gauge, milliseconds(0), milliseconds(0))));
  EXPECT_FALSE(test::run_task(hold(limiter, gauge, milliseconds(3), milliseconds(0))));
}

TEST(Limiter, a_cancelled_waiter_leaves_the_queue) {
  Limiter limiter(1);
  asio::io_context context(1);
  asio::cancellation_signal signal;
  std::vector<int> order;
  auto first = test::run_task(context, limiter.acquire(milliseconds(0)));
  ASSERT_TRUE(first);
  spawn_cancellable(context.get_executor(), enqueue(limiter, order, 1), "cancelled", signal.slot());
  spawn(context.get_executor(), enqueue(limiter, order, 2), "stays");
  context.restart();
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  context.poll();
  first.reset();
  context.poll();
  EXPECT_EQ(order, std::vector<int>{2});
}

TEST(Limiter, a_permit_granted_to_a_destroyed_coroutine_comes_back) {
  Limiter limiter(1);
  std::vector<int> order;
  {
    asio::io_context context(1);
    auto first = test::run_task(context, limiter.acquire(milliseconds(0)));
    spawn(context.get_executor(), enqueue(limiter, order, 1), "never resumed");
    context.restart();
    context.poll();
    first.reset();
  }
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(test::run_task(limiter.acquire(milliseconds(0))));
}

}  // namespace
}  // namespace entrepot::async::limiter_test
