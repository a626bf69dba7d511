#include "entrepot/async/task.hpp"

#include <gtest/gtest.h>

#include "entrepot/async/single_flight.hpp"
#include "support/run_task.hpp"

namespace entrepot::async::task_test {
namespace {

using std::chrono::milliseconds;

Task<> throw_out() {
  co_await sleep_for(milliseconds(0));
  throw std::runtime_error("escaped");
}

TEST(Spawn, an_escaping_exception_ends_only_its_task) {
  asio::io_context context(1);
  bool finished = false;
  spawn(context.get_executor(), throw_out(), "thrower", [&finished] { finished = true; });
  context.run();
  EXPECT_TRUE(finished);
}

Task<> sleep_twice(int& slept) {
  co_await sleep_for(std::chrono::hours(1));
  ++slept;
  co_await sleep_for(std::chrono::hours(1));
  ++slept;
}

TEST(Spawn, a_cancelled_task_wakes_and_goes_no_further) {
  asio::io_context context(1);
  asio::cancellation_signal signal;
  int slept = 0;
  spawn_cancellable(context.get_executor(), sleep_twice(slept), "sleeper", signal.slot());
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  EXPECT_EQ(slept, 1);
}

struct Counted {
  std::atomic<int> calls = 0;
};

Task<std::string> produce(std::shared_ptr<Counted> counted) {
  ++counted->calls;
  co_await sleep_for(milliseconds(30));
  co_return "value";
}

Task<std::string> refuse(std::shared_ptr<Counted> counted) {
  ++counted->calls;
  co_await sleep_for(milliseconds(30));
  throw std::runtime_error("no");
}

using Flights = SingleFlight<std::string, std::string>;

Task<std::pair<std::string, Role>> fly(Flights& flights, std::shared_ptr<Counted> counted) {
  co_return co_await flights.run("key", [counted] { return produce(counted); });
}

Task<> leave_early(Flights& flights, std::shared_ptr<Counted> counted) {
  co_await fly(flights, counted);
}

Task<std::pair<std::string, Role>> crash(Flights& flights, std::shared_ptr<Counted> counted) {
  co_return co_await flights.run("key", [counted] { return refuse(counted); });
}

// Rows: C-07
TEST(SingleFlight, callers_on_several_threads_share_one_piece_of_work) {
  Flights flights;
  const auto counted = std::make_shared<Counted>();
  test::RunningRuntime runtime(3);
  std::vector<std::future<std::pair<std::string, Role>>> callers;
  for (std::size_t i = 0; i < 12; ++i) {
    callers.push_back(runtime.start(i % 3, fly(flights, counted)));
  }
  int leaders = 0;
  for (auto& caller : callers) {
    const auto [value, role] = caller.get();
    EXPECT_EQ(value, "value");
    leaders += role == Role::leader ? 1 : 0;
  }
  EXPECT_EQ(counted->calls.load(), leaders);
  EXPECT_LT(leaders, 12);
}

TEST(SingleFlight, a_failure_reaches_every_caller) {
  Flights flights;
  const auto counted = std::make_shared<Counted>();
  test::RunningRuntime runtime(2);
  std::vector<std::future<std::pair<std::string, Role>>> callers;
  for (std::size_t i = 0; i < 6; ++i) {
    callers.push_back(runtime.start(i % 2, crash(flights, counted)));
  }
  for (auto& caller : callers) EXPECT_THROW(caller.get(), std::runtime_error);
}

// Rows: C-08
TEST(SingleFlight, the_work_survives_its_first_caller) {
  Flights flights;
  const auto counted = std::make_shared<Counted>();
  asio::io_context context(1);
  asio::cancellation_signal signal;
  spawn_cancellable(context.get_executor(), leave_early(flights, counted), "first caller",
                    signal.slot());
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  const auto [value, role] = test::run_task(context, fly(flights, counted));
  EXPECT_EQ(value, "value");
  EXPECT_EQ(role, Role::joined);
  EXPECT_EQ(counted->calls.load(), 1);
}

}  // namespace
}  // namespace entrepot::async::task_test
