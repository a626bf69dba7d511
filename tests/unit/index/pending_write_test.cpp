#include "index/pending_write.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "entrepot/async/runtime.hpp"

namespace entrepot::index::pending_write_test {
namespace {

namespace asio = boost::asio;
using std::chrono::seconds;

struct Waiting {
  bool went_on = false;            // behind done()
  bool felt_cancellation = false;  // at the next wait
};

async::Task<> wait_for(PendingWrite& write, Waiting& waiting) {
  const PendingWrite::FrameGuard guard(write);
  co_await write.done();
  waiting.went_on = true;
  try {
    co_await async::sleep_for(seconds(60));
  } catch (const boost::system::system_error&) {
    waiting.felt_cancellation = true;
  }
}

// Spawns a waiter on `context`, whose client leaves twice while the write is under way.
void leave_while_writing(asio::io_context& context, PendingWrite& write, Waiting& waiting,
                         asio::cancellation_signal& client) {
  asio::co_spawn(context, wait_for(write, waiting),
                 asio::bind_cancellation_slot(client.slot(), [](const std::exception_ptr&) {}));
  context.poll();
  ASSERT_TRUE(write.start());
  for (int i = 0; i < 2; ++i) {
    client.emit(asio::cancellation_type::terminal);
    context.poll();
  }
}

// Rows: N-08
TEST(PendingWrite, a_client_that_leaves_does_not_stop_its_thread_until_the_flush) {
  asio::io_context context(1);
  PendingWrite write([](Batch&) {});
  Waiting waiting;
  asio::cancellation_signal client;
  std::promise<void> served;
  // The Committer: its flush takes until the thread has served somebody else, or much too long.
  std::thread committer([&, others = served.get_future()] {
    EXPECT_EQ(others.wait_for(seconds(5)), std::future_status::ready) << "the thread stood still";
    write.finish();
  });
  leave_while_writing(context, write, waiting, client);
  EXPECT_FALSE(waiting.went_on);
  served.set_value();
  committer.join();
  context.run();
  EXPECT_TRUE(waiting.went_on);
  EXPECT_TRUE(waiting.felt_cancellation);
}

TEST(PendingWrite, of_a_client_that_left_before_it_started_is_still_written) {
  asio::io_context context(1);
  PendingWrite write([](Batch&) {});
  Waiting waiting;
  asio::cancellation_signal client;
  asio::co_spawn(context, wait_for(write, waiting),
                 asio::bind_cancellation_slot(client.slot(), [](const std::exception_ptr&) {}));
  context.poll();
  client.emit(asio::cancellation_type::terminal);
  context.poll();
  EXPECT_TRUE(write.start());
  write.finish();
  context.run();
  EXPECT_TRUE(waiting.went_on);
}

TEST(PendingWrite, does_not_start_when_its_frame_is_gone) {
  PendingWrite write([](Batch&) {});
  Waiting waiting;
  {
    asio::io_context context(1);
    asio::co_spawn(context, wait_for(write, waiting), [](const std::exception_ptr&) {});
    context.poll();
  }
  EXPECT_FALSE(write.start());
  EXPECT_FALSE(waiting.went_on);
}

}  // namespace
}  // namespace entrepot::index::pending_write_test
