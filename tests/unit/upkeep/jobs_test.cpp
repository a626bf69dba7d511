#include "entrepot/upkeep/jobs.hpp"

#include <gtest/gtest.h>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/oci/refusal.hpp"
#include "support/manual_clock.hpp"
#include "support/run_task.hpp"

namespace entrepot::upkeep::jobs_test {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using ProgressPtr = std::shared_ptr<Progress>;

async::Task<std::string> tell_lines(ProgressPtr progress, int count) {
  for (int i = 0; i < count; ++i) progress->line(std::to_string(i));
  progress->at(7, 9, "bytes");
  co_return R"({"lines":)" + std::to_string(count) + "}";
}

async::Task<std::string> refuse() {
  throw oci::Refusal(oci::ErrorCode::manifest_unknown);
  co_return "";
}

async::Task<std::string> run_until_stopped(ProgressPtr progress) {
  while (!progress->stop_wanted()) co_await async::sleep_for(1ms);
  co_return "{}";
}

async::Task<> wait_for_end(Jobs& jobs, std::uint64_t id) {
  for (;;) {
    const auto status = co_await jobs.status(id, 1'000'000, 1000ms);
    if (!status || status->state != JobState::running) co_return;
  }
}

class JobsTest : public testing::Test {
 protected:
  std::optional<std::uint64_t> start(std::string kind, Jobs::Work work) {
    return jobs_.start(context_.get_executor(), std::move(kind), std::move(work));
  }
  std::uint64_t run(std::string kind, Jobs::Work work) {
    const auto id = start(std::move(kind), std::move(work)).value();
    test::run_on(context_, wait_for_end(jobs_, id));
    return id;
  }
  JobStatus status(std::uint64_t id, std::uint64_t line = 0, milliseconds longest = 0ms) {
    return test::run_on(context_, jobs_.status(id, line, longest)).value();
  }

  boost::asio::io_context context_{1};
  test::ManualClock clock_;
  Jobs jobs_{clock_};
};

TEST_F(JobsTest, RemembersHowAJobEnded) {
  const auto id = run("collection", [](ProgressPtr p) { return tell_lines(p, 3); });
  const auto done = status(id);
  EXPECT_EQ(done.state, JobState::done);
  EXPECT_EQ(done.summary, R"({"lines":3})");
  EXPECT_EQ(done.lines, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(done.next_line, 3U);
  EXPECT_EQ(done.done, 7U);
  EXPECT_EQ(done.total, 9U);
  EXPECT_EQ(done.unit, "bytes");
  EXPECT_TRUE(done.ended);
  const auto failed = status(run("export", [](ProgressPtr) { return refuse(); }));
  EXPECT_EQ(failed.state, JobState::failed);
  EXPECT_EQ(failed.error, oci::error_row(oci::ErrorCode::manifest_unknown).message);
  EXPECT_FALSE(test::run_on(context_, jobs_.status(99, 0, 0ms)));
}

TEST_F(JobsTest, OneOfAKindAtATime) {
  const auto first = start("collection", run_until_stopped);
  EXPECT_FALSE(start("collection", run_until_stopped));
  const auto other = start("adoption", run_until_stopped);
  ASSERT_TRUE(other);
  EXPECT_TRUE(jobs_.stop(*first));
  test::run_on(context_, wait_for_end(jobs_, *first));
  EXPECT_EQ(status(*first).state, JobState::stopped);
  EXPECT_TRUE(start("collection", run_until_stopped));
  EXPECT_FALSE(jobs_.stop(1000));
  EXPECT_EQ(jobs_.list().size(), 3U);
  test::run_on(context_, jobs_.stop_all(10s));
  for (const auto& job : jobs_.list()) EXPECT_EQ(job.state, JobState::stopped);
}

TEST_F(JobsTest, LongPollsForLinesAndTheEnd) {
  std::shared_ptr<Progress> inside;
  const auto id = start("collection", [&](ProgressPtr progress) {
                    inside = progress;
                    return run_until_stopped(progress);
                  }).value();
  context_.poll();
  ASSERT_TRUE(inside);
  EXPECT_TRUE(status(id, 0, 5ms).lines.empty());
  inside->line("one");
  EXPECT_EQ(status(id, 0, 1h).lines.size(), 1U);
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    inside->line("two");
  });
  EXPECT_EQ(status(id, 1, 1h).lines, std::vector<std::string>{"two"});
  later.join();
  jobs_.stop(id);
  EXPECT_EQ(status(id, 2, 1h).state, JobState::stopped);
}

TEST_F(JobsTest, BoundsWhatItKeeps) {
  const auto many = run("collection", [](ProgressPtr p) { return tell_lines(p, 100'005); });
  const auto first = status(many);
  EXPECT_EQ(first.lines.size(), 1000U);
  EXPECT_EQ(first.next_line, 1000U);
  const auto last = status(many, 99'500);
  EXPECT_EQ(last.lines.size(), 500U);
  EXPECT_EQ(last.next_line, 100'005U) << "the rest was only counted";
  for (int i = 0; i < 100; ++i) run("export", [](ProgressPtr p) { return tell_lines(p, 1); });
  const auto list = jobs_.list();
  EXPECT_EQ(list.size(), 100U);
  EXPECT_EQ(list.back().id, many + 100);
  EXPECT_TRUE(status(many + 1).lines.empty()) << "old jobs keep their end, not their lines";
  EXPECT_EQ(status(many + 100).lines.size(), 1U);
}

TEST_F(JobsTest, StopAllGivesUpAfterAWhile) {
  start("collection", [](ProgressPtr) -> async::Task<std::string> {
    co_await async::sleep_for(1h);
    co_return "";
  });
  context_.poll();
  test::run_on(context_, jobs_.stop_all(20ms));
  EXPECT_EQ(jobs_.list().front().state, JobState::running);
}

TEST_F(JobsTest, IsWatchedFromOtherThreads) {
  test::RunningRuntime runtime(2);
  std::vector<std::future<void>> ends;
  for (int i = 0; i < 20; ++i) {
    const auto id = jobs_.start(runtime.get().executor(0), "kind " + std::to_string(i),
                                [](ProgressPtr p) { return tell_lines(p, 100); });
    for (const std::size_t thread : {0U, 1U}) {
      ends.push_back(runtime.start(thread, wait_for_end(jobs_, id.value())));
    }
  }
  for (auto& end : ends) end.get();
  EXPECT_EQ(jobs_.list().size(), 20U);
}

}  // namespace
}  // namespace entrepot::upkeep::jobs_test
