#include "replication/crew.hpp"

#include <gtest/gtest.h>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/together.hpp"
#include "support/run_task.hpp"

namespace entrepot::replication::crew_test {
namespace {

using async::Task;

struct Watch {
  int running = 0;
  int most = 0;
  int done = 0;
  int cancelled = 0;
  async::Broadcast never;
};

Task<> work(Watch& watch) {
  watch.most = std::max(watch.most, ++watch.running);
  co_await async::give_way();
  --watch.running;
  ++watch.done;
}

Task<> hang(Watch& watch) {
  try {
    co_await watch.never.wait(watch.never.ticket());
  } catch (const boost::system::system_error&) {
    ++watch.cancelled;
    throw;
  }
}

Task<> fail() {
  co_await async::give_way();
  throw std::runtime_error("broke");
}

TEST(SideBySide, DoesAllButNeverTooManyAtOnce) {
  async::asio::io_context context(1);
  Watch watch;
  test::run_on(context, side_by_side(20, 3, [&](std::size_t) { return work(watch); }));
  EXPECT_EQ(watch.done, 20);
  EXPECT_EQ(watch.most, 3);
  test::run_on(context, side_by_side(0, 3, [&](std::size_t) { return work(watch); }));
  EXPECT_EQ(watch.done, 20);
}

TEST(SideBySide, BeginsNothingAfterOneHasFailed) {
  async::asio::io_context context(1);
  Watch watch;
  const auto begin = [&](std::size_t i) { return i == 1 ? fail() : work(watch); };
  EXPECT_THROW(test::run_on(context, side_by_side(20, 2, begin)), std::runtime_error);
  EXPECT_LT(watch.done, 5);
  EXPECT_EQ(watch.running, 0);
}

TEST(SideBySide, EndsPromptlyWhenItIsCancelled) {
  async::asio::io_context context(1);
  Watch watch;
  async::asio::cancellation_signal signal;
  bool ended = false;
  async::spawn_cancellable(context.get_executor(),
                           side_by_side(10, 4, [&](std::size_t) { return hang(watch); }), "test",
                           signal.slot(), [&ended] { ended = true; });
  context.poll();
  signal.emit(async::asio::cancellation_type::terminal);
  context.restart();
  context.run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(watch.cancelled, 4);
}

TEST(AtMost, CancelsWhatTakesTooLong) {
  async::asio::io_context context(1);
  Watch watch;
  EXPECT_EQ(test::run_on(context, at_most(work(watch), std::chrono::hours(1))), Ended::by_itself);
  EXPECT_EQ(test::run_on(context, at_most(hang(watch), std::chrono::milliseconds(5))),
            Ended::too_late);
  EXPECT_EQ(watch.cancelled, 1);
  EXPECT_THROW(test::run_on(context, at_most(fail(), std::chrono::hours(1))), std::runtime_error);
}

}  // namespace
}  // namespace entrepot::replication::crew_test
