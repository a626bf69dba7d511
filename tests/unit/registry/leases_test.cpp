#include "entrepot/registry/leases.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/manual_clock.hpp"
#include "support/run_task.hpp"
#include "support/words.hpp"

namespace entrepot::registry::leases_test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::digest_of;

class Leases : public testing::Test {
 protected:
  // The app's second hand.
  void pass(seconds time) {
    for (seconds gone(0); gone < time; gone += seconds(1)) {
      clock_.advance(seconds(1));
      table_.tick();
    }
  }

  test::ManualClock clock_;
  LeaseTable table_{hours(1), clock_};
  const oci::Digest digest_ = digest_of("content");
};

// Rows: G-02
TEST_F(Leases, holds_until_the_last_second_and_not_a_second_longer) {
  test::run_task(table_.take(digest_));
  EXPECT_FALSE(table_.close(digest_));
  pass(hours(1) - seconds(1));
  EXPECT_TRUE(table_.leased(digest_));
  EXPECT_FALSE(table_.close(digest_));
  pass(seconds(2));
  EXPECT_FALSE(table_.leased(digest_));
  EXPECT_TRUE(table_.close(digest_));
  EXPECT_EQ(table_.size(), 0U) << "forgotten";
}

// Rows: G-02
TEST_F(Leases, is_counted_from_the_last_promise) {
  test::run_task(table_.take(digest_));
  pass(seconds(1800));
  EXPECT_TRUE(table_.try_take(digest_));
  pass(seconds(3599));
  EXPECT_TRUE(table_.leased(digest_));
  EXPECT_EQ(table_.size(), 1U);
  pass(seconds(2));
  EXPECT_FALSE(table_.leased(digest_));
}

// Rows: G-01, G-14
TEST_F(Leases, a_promise_that_was_kept_counts_for_the_grace_only) {
  const auto alice = Promisee{1};
  const auto bob = Promisee{2};
  test::run_task(table_.take(digest_, alice));
  test::run_task(table_.take(digest_, alice));
  test::run_task(table_.take(digest_, bob));
  table_.kept(digest_, alice);
  EXPECT_TRUE(table_.leased(digest_, milliseconds(0))) << "bob's is open";
  table_.kept(digest_, bob);
  EXPECT_FALSE(table_.leased(digest_, milliseconds(0)));
  EXPECT_TRUE(table_.leased(digest_, seconds(10)));
  EXPECT_TRUE(table_.leased(digest_)) << "who asks for no grace in particular has it all";
  pass(seconds(11));
  EXPECT_FALSE(table_.leased(digest_, seconds(10)));
  test::run_task(table_.take(digest_, alice));
  EXPECT_TRUE(table_.leased(digest_, milliseconds(0))) << "a new one is open again";
  pass(hours(1) + seconds(1));
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(Leases, what_was_not_promised_in_the_end_is_given_back) {
  const auto alice = Promisee{1};
  test::run_task(table_.take(digest_, alice));
  table_.give_back(digest_, Promisee{2});
  EXPECT_TRUE(table_.leased(digest_));
  table_.give_back(digest_, alice);
  EXPECT_FALSE(table_.leased(digest_));
  EXPECT_EQ(table_.size(), 0U);
}

// Rows: P-12
TEST_F(Leases, refused_pushes_without_end_leave_no_more_than_some_thousand_rows) {
  const auto alice = Promisee{1};
  const auto digest = [](int number) { return test::digest_of(std::to_string(number)); };
  for (int number = 0; number < 100; ++number) test::run_task(table_.take(digest(number), alice));
  for (int number = 100; number < 20'000; ++number) {
    ASSERT_TRUE(table_.try_take(digest(number), alice));
    table_.give_back(digest(number), alice);
    ASSERT_LT(table_.rows(), 5'000U) << number;
  }
  EXPECT_EQ(table_.size(), 100U);
  for (int number = 0; number < 100; ++number) EXPECT_TRUE(table_.leased(digest(number)));
  pass(hours(1) + seconds(1));
  EXPECT_EQ(table_.rows(), 0U) << "the others still end in time";
}

TEST_F(Leases, the_promises_of_the_run_before_arm_at_once) {
  EXPECT_FALSE(table_.armed());
  table_.arm({digest_});
  EXPECT_TRUE(table_.armed());
  EXPECT_TRUE(table_.leased(digest_, milliseconds(0)));
  EXPECT_EQ(table_.outstanding(), std::vector{digest_});
  pass(hours(1));
  EXPECT_TRUE(table_.outstanding().empty());
}

// Rows: G-02
TEST_F(Leases, time_between_two_ticks_counts_too) {
  clock_.advance(milliseconds(900));
  test::run_task(table_.take(digest_));
  table_.tick();
  pass(hours(1) - seconds(1));
  EXPECT_TRUE(table_.leased(digest_)) << "taken late in a second is not ended early in one";
  pass(seconds(1));
  EXPECT_FALSE(table_.leased(digest_));
}

// Rows: K-05
TEST_F(Leases, a_standstill_prolongs_them) {
  test::run_task(table_.take(digest_));
  pass(seconds(10));
  clock_.advance(hours(5));
  table_.tick();
  EXPECT_TRUE(table_.leased(digest_));
  EXPECT_FALSE(table_.armed());
  pass(hours(1) - seconds(13));
  EXPECT_TRUE(table_.leased(digest_));
  pass(seconds(2));
  EXPECT_FALSE(table_.leased(digest_));
}

// Rows: G-11, K-01
TEST_F(Leases, know_nothing_of_the_wall_clock) {
  test::run_task(table_.take(digest_));
  clock_.set_wall(hours(24 * 3650));
  pass(seconds(1));
  EXPECT_TRUE(table_.leased(digest_));
}

// Rows: G-07
TEST_F(Leases, nothing_is_armed_before_one_lease_time_has_passed) {
  EXPECT_FALSE(table_.armed());
  pass(hours(1) - seconds(1));
  EXPECT_FALSE(table_.armed());
  pass(seconds(1));
  EXPECT_TRUE(table_.armed());
}

TEST_F(Leases, one_judgement_of_a_digest_at_a_time) {
  auto judgement = table_.close(digest_);
  ASSERT_TRUE(judgement);
  EXPECT_FALSE(table_.close(digest_));
  EXPECT_FALSE(table_.try_take(digest_));
  EXPECT_TRUE(table_.close(digest_of("other")));
  judgement = {};
  EXPECT_TRUE(table_.close(digest_));
}

async::Task<> take_and_sign(LeaseTable& table, oci::Digest digest, bool& signature) {
  co_await table.take(digest);
  signature = true;
}

// Rows: G-01
TEST_F(Leases, whoever_asks_during_a_judgement_waits_for_its_end) {
  boost::asio::io_context context(1);
  bool taken = false;
  auto judgement = table_.close(digest_);
  async::spawn(context.get_executor(), take_and_sign(table_, digest_, taken), "take");
  context.poll();
  EXPECT_FALSE(taken);
  {
    const auto ended = std::move(judgement);
  }
  context.restart();
  context.poll();
  EXPECT_TRUE(taken);
  EXPECT_FALSE(table_.close(digest_));
}

// What each thread may rely on: between its lease and its answer nobody judges.
struct Arena {
  LeaseTable table{hours(1)};
  std::vector<oci::Digest> digests;
  std::vector<std::atomic<int>> judged;  // how many judge a digest now
  std::atomic<int> broken_promises = 0;
  std::atomic<int> judgements = 0;
};

async::Task<bool> promise(Arena& arena, int turns, unsigned seed) {
  for (int turn = 0; turn < turns; ++turn) {
    const auto one = (seed + static_cast<unsigned>(turn) * 7U) % arena.digests.size();
    co_await arena.table.take(arena.digests[one]);
    if (arena.judged[one] != 0 || !arena.table.leased(arena.digests[one])) ++arena.broken_promises;
  }
  co_return true;
}

void judge(Arena& arena, int turns) {
  for (int turn = 0; turn < turns; ++turn) {
    const auto one = static_cast<std::size_t>(turn) % arena.digests.size();
    const auto judgement = arena.table.close(arena.digests[one]);
    if (!judgement) continue;
    if (++arena.judged[one] != 1) ++arena.broken_promises;
    if (arena.table.leased(arena.digests[one])) ++arena.broken_promises;
    ++arena.judgements;
    --arena.judged[one];
    arena.table.tick();
  }
}

// Rows: G-01
TEST(LeasesTogether, no_promise_is_given_while_a_judgement_runs) {
  constexpr std::size_t digests = 4000;
  Arena arena;
  arena.judged = std::vector<std::atomic<int>>(digests);
  for (std::size_t i = 0; i < digests; ++i) arena.digests.push_back(digest_of(std::to_string(i)));
  test::RunningRuntime runtime(2);
  std::vector<std::future<bool>> ends;
  for (unsigned i = 0; i < 4; ++i) ends.push_back(runtime.start(i % 2, promise(arena, 2000, i)));
  std::vector<std::thread> judges;
  for (int i = 0; i < 2; ++i) judges.emplace_back([&] { judge(arena, 20'000); });
  for (auto& thread : judges) thread.join();
  for (auto& end : ends) EXPECT_TRUE(end.get());
  EXPECT_EQ(arena.broken_promises, 0);
  EXPECT_GT(arena.judgements, 0);
}

}  // namespace
}  // namespace entrepot::registry::leases_test
