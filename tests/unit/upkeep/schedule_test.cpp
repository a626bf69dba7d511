#include "entrepot/upkeep/schedule.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "support/run_task.hpp"

namespace entrepot::upkeep::schedule_test {
namespace {

using namespace std::chrono_literals;

async::Task<> count(std::atomic<int>& turns) {
  ++turns;
  co_return;
}

async::Task<> fail(std::atomic<int>& turns) {
  ++turns;
  throw std::runtime_error("no luck");
  co_return;
}

async::Task<> until(std::atomic<int>& turns, int wanted) {
  while (turns < wanted) co_await async::sleep_for(1ms);
}

TEST(Schedule, GivesEachChoreItsTurnsAlsoAfterItFailed) {
  boost::asio::io_context context(1);
  std::atomic<int> well = 0;
  std::atomic<int> badly = 0;
  std::atomic<int> never = 0;
  Schedule schedule({{"well", 0ms, 1ms, [&] { return count(well); }},
                     {"badly", 1ms, 1ms, [&] { return fail(badly); }},
                     {"never", 0ms, 0ms, [&] { return count(never); }},
                     {"later", 1h, 1h, [&] { return count(never); }}});
  schedule.start(context.get_executor());
  test::run_on(context, until(well, 5));
  test::run_on(context, until(badly, 5));
  EXPECT_EQ(never, 0);
}

TEST(Schedule, EndsWhenStopped) {
  boost::asio::io_context context(1);
  std::atomic<int> turns = 0;
  {
    Schedule schedule({{"chore", 0ms, 1ms, [&] { return count(turns); }},
                       {"later", 1h, 1h, [&] { return count(turns); }}});
    schedule.start(context.get_executor());
    test::run_on(context, until(turns, 2));
    schedule.stop();
    const int before = turns;
    context.restart();
    context.run();
    EXPECT_LE(turns, before + 1);
  }
}

}  // namespace
}  // namespace entrepot::upkeep::schedule_test
