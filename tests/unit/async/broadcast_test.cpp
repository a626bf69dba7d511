#include "entrepot/async/broadcast.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "support/run_task.hpp"

namespace entrepot::async::broadcast_test {
namespace {

using std::chrono::milliseconds;

TEST(Broadcast, wait_returns_at_once_when_notified_after_the_ticket) {
  Broadcast broadcast;
  const auto ticket = broadcast.ticket();
  broadcast.notify_all();
  EXPECT_TRUE(test::run_task(broadcast.wait(ticket)));
}

TEST(Broadcast, wait_gives_up_after_the_longest_time) {
  Broadcast broadcast;
  EXPECT_FALSE(test::run_task(broadcast.wait(broadcast.ticket(), milliseconds(5))));
}

// A counter that threads advance and followers chase: the shape of a Fill.
struct Progress {
  std::mutex mutex;  // guards value
  int value = 0;
  Broadcast changed;

  void advance() {
    {
      const std::lock_guard lock(mutex);
      ++value;
    }
    changed.notify_all();
  }
};

Task<bool> follow(Progress& progress, int last, milliseconds longest) {
  const auto here = std::this_thread::get_id();
  bool stayed = true;
  for (;;) {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(progress.mutex);
      if (progress.value >= last) co_return stayed;
      ticket = progress.changed.ticket();
    }
    co_await progress.changed.wait(ticket, longest);
    stayed = stayed && std::this_thread::get_id() == here;
  }
}

// Rows: C-07
TEST(Broadcast, sixty_four_followers_on_three_threads_miss_no_notification) {
  Progress progress;
  test::RunningRuntime runtime(3);
  std::vector<std::future<bool>> followers;
  for (std::size_t i = 0; i < 64; ++i) {
    followers.push_back(runtime.start(i % 3, follow(progress, 2000, std::chrono::hours(24 * 365))));
  }
  std::vector<std::jthread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([&progress] {
      for (int n = 0; n < 1000; ++n) progress.advance();
    });
  }
  for (auto& follower : followers) EXPECT_TRUE(follower.get());
}

TEST(Broadcast, timeouts_and_notifications_may_race) {
  Progress progress;
  test::RunningRuntime runtime(2);
  std::vector<std::future<bool>> followers;
  for (std::size_t i = 0; i < 16; ++i) {
    followers.push_back(runtime.start(i % 2, follow(progress, 300, milliseconds(1))));
  }
  for (int n = 0; n < 300; ++n) {
    progress.advance();
    if (n % 10 == 0) std::this_thread::yield();
  }
  for (auto& follower : followers) EXPECT_TRUE(follower.get());
}

Task<> wait_for_ever(Broadcast& broadcast, std::shared_ptr<int> held) {
  co_await broadcast.wait(broadcast.ticket());
  *held = 1;
}

TEST(Broadcast, waiters_are_destroyed_with_their_context_and_a_late_notify_is_harmless) {
  Broadcast broadcast;
  const auto held = std::make_shared<int>(0);
  {
    asio::io_context context(1);
    spawn(context.get_executor(), wait_for_ever(broadcast, held), "waiter");
    context.poll();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  broadcast.notify_all();
  EXPECT_EQ(*held, 0);
}

TEST(Broadcast, a_cancelled_waiter_is_released) {
  Broadcast broadcast;
  const auto held = std::make_shared<int>(0);
  asio::io_context context(1);
  asio::cancellation_signal signal;
  bool finished = false;
  spawn_cancellable(context.get_executor(), wait_for_ever(broadcast, held), "cancelled waiter",
                    signal.slot(), [&finished] { finished = true; });
  context.poll();
  EXPECT_FALSE(finished);
  signal.emit(asio::cancellation_type::terminal);
  context.poll();
  EXPECT_TRUE(finished);
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace entrepot::async::broadcast_test
