#include "entrepot/async/together.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/run_task.hpp"

namespace entrepot::async::together_test {
namespace {

Task<> count_after(std::chrono::milliseconds wait, int& count) {
  co_await sleep_for(wait);
  ++count;
}

Task<> fail_with(const char* words) {
  co_await give_way();
  throw std::runtime_error(words);
}

TEST(Together, EndsWithTheLastOfThem) {
  boost::asio::io_context context(1);
  int count = 0;
  std::vector<Task<>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(count_after(std::chrono::milliseconds(i), count));
  test::run_on(context, together(std::move(tasks)));
  EXPECT_EQ(count, 10);
}

TEST(Together, OfNothingIsOverAtOnce) {
  boost::asio::io_context context(1);
  test::run_on(context, together({}));
}

TEST(Together, WaitsForTheRestWhenOneFailsAndThrowsWhatTheFirstThrew) {
  boost::asio::io_context context(1);
  int count = 0;
  std::vector<Task<>> tasks;
  tasks.push_back(count_after(std::chrono::milliseconds(20), count));
  tasks.push_back(fail_with("first"));
  tasks.push_back(fail_with("second"));
  try {
    test::run_on(context, together(std::move(tasks)));
    FAIL() << "did not throw";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  EXPECT_EQ(count, 1);
}

Task<> cancel_and_count(boost::asio::cancellation_signal& cancel, int& count) {
  cancel.emit(boost::asio::cancellation_type::terminal);
  co_await give_way();
  ++count;
}

// The members' frames end before the caller's, which they may refer to.
Task<> count_both(boost::asio::cancellation_signal& cancel, int& seen) {
  int count = 0;
  std::vector<Task<>> tasks;
  tasks.push_back(cancel_and_count(cancel, count));
  tasks.push_back(cancel_and_count(cancel, count));
  co_await together(std::move(tasks));
  seen = count;
}

TEST(Together, StaysWithThemWhenOneOfThemCancelsTheCaller) {
  boost::asio::io_context context(1);
  boost::asio::cancellation_signal cancel;
  int seen = 0;
  spawn_cancellable(context.get_executor(), count_both(cancel, seen), "test", cancel.slot());
  context.run();
  EXPECT_EQ(seen, 2);
}

TEST(Together, IsDestroyedWithItsContext) {
  int count = 0;
  {
    boost::asio::io_context context(1);
    std::vector<Task<>> tasks;
    tasks.push_back(count_after(std::chrono::hours(1), count));
    tasks.push_back(count_after(std::chrono::hours(1), count));
    spawn(context.get_executor(), together(std::move(tasks)), "test");
    context.poll();
  }
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace entrepot::async::together_test
