#include "entrepot/async/runtime.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <set>

#include "support/run_task.hpp"

namespace entrepot::async::runtime_test {
namespace {

Task<std::thread::id> where() { co_return std::this_thread::get_id(); }

TEST(Runtime, each_context_has_a_thread_of_its_own) {
  test::RunningRuntime runtime(3);
  std::set<std::thread::id> threads;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto once = runtime.start(i, where()).get();
    EXPECT_EQ(once, runtime.start(i, where()).get());
    threads.insert(once);
  }
  EXPECT_EQ(threads.size(), 3U);
}

TEST(Runtime, zero_threads_means_the_cores_we_may_use) {
  const Runtime runtime(0);
  EXPECT_GE(runtime.size(), 1U);
  EXPECT_LE(runtime.size(), std::max(1U, std::thread::hardware_concurrency()));
}

TEST(Runtime, an_exception_out_of_a_callback_does_not_end_the_thread) {
  test::RunningRuntime runtime(1);
  asio::post(runtime.get().context(0), [] { throw std::runtime_error("from a callback"); });
  EXPECT_NO_THROW(runtime.start(0, where()).get());
}

TEST(Runtime, stop_before_run_returns_at_once) {
  Runtime runtime(2);
  runtime.stop();
  runtime.run();
}

}  // namespace
}  // namespace entrepot::async::runtime_test
