#include "entrepot/async/offload.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "support/run_task.hpp"

namespace entrepot::async::offload_test {
namespace {

struct Places {
  std::thread::id before;
  std::thread::id during;
  std::thread::id after;
};

Task<Places> hop(BlockingPool& pool) {
  Places places;
  places.before = std::this_thread::get_id();
  places.during = co_await pool.run([] { return std::this_thread::get_id(); });
  places.after = std::this_thread::get_id();
  co_return places;
}

TEST(BlockingPool, works_elsewhere_and_resumes_at_home) {
  BlockingPool pool(2);
  const auto places = test::run_task(hop(pool));
  EXPECT_NE(places.before, places.during);
  EXPECT_EQ(places.before, places.after);
}

Task<int> fail(BlockingPool& pool) {
  co_return co_await pool.run([]() -> int { throw std::runtime_error("disk on fire"); });
}

TEST(BlockingPool, exceptions_come_back) {
  BlockingPool pool(1);
  EXPECT_THROW(test::run_task(fail(pool)), std::runtime_error);
}

Task<int> sum(BlockingPool& pool, int rounds) {
  int total = 0;
  for (int i = 0; i < rounds; ++i) {
    co_await pool.run([&total] { ++total; });
  }
  co_return total;
}

TEST(BlockingPool, many_callers_on_several_threads) {
  BlockingPool pool(3);
  test::RunningRuntime runtime(2);
  std::vector<std::future<int>> sums;
  for (std::size_t i = 0; i < 8; ++i) sums.push_back(runtime.start(i % 2, sum(pool, 200)));
  for (auto& each : sums) EXPECT_EQ(each.get(), 200);
}

struct Latch {
  std::atomic<bool> started = false;
  std::atomic<bool> release = false;
};

Task<> block(BlockingPool& pool, Latch& latch, std::shared_ptr<std::string> written) {
  std::string local;
  co_await pool.run([&] {
    latch.started = true;
    latch.started.notify_all();
    latch.release.wait(false);
    local = "written into the frame";
    *written = local;
  });
}

TEST(BlockingPool, a_context_waits_for_work_that_uses_the_frames_it_destroys) {
  BlockingPool pool(1);
  Latch latch;
  const auto written = std::make_shared<std::string>();
  std::jthread releaser;
  {
    asio::io_context context(1);
    spawn(context.get_executor(), block(pool, latch, written), "blocked");
    context.poll();
    latch.started.wait(false);
    releaser = std::jthread([&latch] {
      latch.release = true;
      latch.release.notify_all();
    });
  }
  EXPECT_EQ(*written, "written into the frame");
  EXPECT_EQ(written.use_count(), 1);
}

TEST(BlockingPool, queued_work_of_destroyed_frames_never_starts) {
  BlockingPool pool(1);
  Latch first;
  Latch second;
  const auto written = std::make_shared<std::string>();
  asio::io_context outer(1);
  spawn(outer.get_executor(), block(pool, first, written), "occupies the pool");
  outer.poll();
  first.started.wait(false);
  {
    asio::io_context context(1);
    spawn(context.get_executor(), block(pool, second, written), "queued");
    context.poll();
  }
  first.release = true;
  first.release.notify_all();
  outer.run();
  EXPECT_FALSE(second.started);
}

}  // namespace
}  // namespace entrepot::async::offload_test
