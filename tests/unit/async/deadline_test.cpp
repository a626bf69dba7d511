#include "entrepot/async/deadline.hpp"

#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace entrepot::async::deadline_test {
namespace {

using std::chrono::milliseconds;

TEST(Deadline, expires_once) {
  asio::io_context context(1);
  int expiries = 0;
  Deadline deadline(context.get_executor(), [&] { ++expiries; });
  deadline.arm(milliseconds(1));
  context.run();
  EXPECT_EQ(expiries, 1);
  EXPECT_TRUE(deadline.expired());
}

TEST(Deadline, disarmed_or_destroyed_never_expires) {
  asio::io_context context(1);
  int expiries = 0;
  Deadline deadline(context.get_executor(), [&] { ++expiries; });
  deadline.arm(milliseconds(1));
  deadline.disarm();
  {
    Deadline gone(context.get_executor(), [&] { ++expiries; });
    gone.arm(milliseconds(1));
  }
  context.run();
  EXPECT_EQ(expiries, 0);
  EXPECT_FALSE(deadline.expired());
}

TEST(Deadline, disarming_also_stops_an_expiry_that_is_already_queued) {
  asio::io_context context(1);
  int expiries = 0;
  Deadline second(context.get_executor(), [&] { ++expiries; });
  Deadline first(context.get_executor(), [&] {
    ++expiries;
    second.disarm();
  });
  first.arm(milliseconds(1));
  second.arm(milliseconds(2));
  std::this_thread::sleep_for(milliseconds(5));
  context.run();
  EXPECT_EQ(expiries, 1);
}

TEST(Deadline, arming_again_moves_it) {
  asio::io_context context(1);
  int expiries = 0;
  Deadline deadline(context.get_executor(), [&] { ++expiries; });
  deadline.arm(milliseconds(1));
  deadline.arm(milliseconds(20));
  context.run_for(milliseconds(8));
  EXPECT_EQ(expiries, 0);
  context.run();
  EXPECT_EQ(expiries, 1);
}

}  // namespace
}  // namespace entrepot::async::deadline_test
