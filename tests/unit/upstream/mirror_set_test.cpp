#include "upstream/mirror_set.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace entrepot::upstream::mirror_set_test {
namespace {

using namespace std::chrono_literals;
using registry::FailureKind;

const std::vector<bool> untried(2);

void fail(MirrorSet& set, std::size_t url, int times) {
  for (int i = 0; i < times; ++i) set.failed(url, "down");
}

TEST(MirrorSet, asks_in_the_order_of_the_configuration) {
  test::ManualClock clock;
  MirrorSet set(2, clock);
  EXPECT_EQ(set.next({false, false}), 0U);
  EXPECT_EQ(set.next({true, false}), 1U);
  EXPECT_EQ(set.next({true, true}), std::nullopt);
}

TEST(MirrorSet, asks_the_unhealthy_last) {
  test::ManualClock clock;
  MirrorSet set(2, clock);
  fail(set, 0, 2);
  EXPECT_EQ(set.next(untried), 0U);
  fail(set, 0, 1);
  EXPECT_EQ(set.next(untried), 1U);
  clock.advance(1s);
  EXPECT_EQ(set.next(untried), 1U);
  EXPECT_EQ(set.next({false, true}), 0U);  // rested: a probe, after the healthy one
}

// Rows: N-02
TEST(MirrorSet, half_open_lets_one_probe_through) {
  test::ManualClock clock;
  MirrorSet set(1, clock);
  fail(set, 0, 3);
  EXPECT_EQ(set.next({false}), std::nullopt);
  EXPECT_EQ(set.why_none().failure.kind, FailureKind::broken);
  EXPECT_NE(set.why_none().failure.message.find("down"), std::string::npos);
  clock.advance(300ms);
  EXPECT_EQ(set.next({false}), 0U);
  EXPECT_EQ(set.next({false}), std::nullopt);
  set.failed(0, "still down");
  clock.advance(300ms);
  EXPECT_EQ(set.next({false}), std::nullopt);  // rests longer now
  clock.advance(300ms);
  EXPECT_EQ(set.next({false}), 0U);
  set.answered(0);
  EXPECT_EQ(set.next({false}), 0U);
  EXPECT_EQ(set.next({false}), 0U);
}

TEST(MirrorSet, a_probe_nobody_reported_on_does_not_close_for_ever) {
  test::ManualClock clock;
  MirrorSet set(1, clock);
  fail(set, 0, 3);
  clock.advance(1s);
  EXPECT_EQ(set.next({false}), 0U);
  clock.advance(31s);
  EXPECT_EQ(set.next({false}), 0U);
}

TEST(MirrorSet, never_rests_longer_than_ten_seconds) {
  test::ManualClock clock;
  MirrorSet set(1, clock);
  fail(set, 0, 1'000);
  clock.advance(10s);
  EXPECT_EQ(set.next({false}), 0U);
}

// Rows: N-03
TEST(MirrorSet, is_not_asked_again_before_the_time_it_named) {
  test::ManualClock clock;
  MirrorSet set(2, clock);
  set.throttled(0, 60s);
  EXPECT_EQ(set.next(untried), 1U);
  set.throttled(1, 30s);
  EXPECT_EQ(set.next(untried), std::nullopt);
  const auto why = set.why_none();
  EXPECT_EQ(why.failure.kind, FailureKind::throttled);
  EXPECT_EQ(why.failure.retry_after, 30s);
  clock.advance(30s);
  EXPECT_EQ(set.next(untried), 1U);
  clock.advance(30s);
  EXPECT_EQ(set.next(untried), 0U);
}

}  // namespace
}  // namespace entrepot::upstream::mirror_set_test
