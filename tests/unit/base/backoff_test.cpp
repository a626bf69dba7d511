#include "entrepot/base/backoff.hpp"

#include <gtest/gtest.h>

namespace entrepot::base::backoff_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Backoff, doubles_up_to_five_minutes) {
  const std::pair<unsigned, milliseconds> table[] = {
      {0, seconds(1)},   {1, seconds(1)},  {2, seconds(2)},        {3, seconds(4)},
      {9, seconds(256)}, {10, minutes(5)}, {1'000'000, minutes(5)}};
  for (const auto& [failures, whole] : table) {
    EXPECT_EQ(backoff(failures, 0, {}), whole / 2) << failures;
    EXPECT_LE(backoff(failures, 0.9999, {}), whole) << failures;
    EXPECT_GE(backoff(failures, 0.9999, {}), whole * 99 / 100) << failures;
  }
}

TEST(Backoff, waits_as_long_as_it_is_asked_to_within_reason) {
  EXPECT_EQ(backoff(1, 0, seconds(30)), seconds(30));
  EXPECT_EQ(backoff(10, 0, seconds(1)), seconds(150));
  EXPECT_EQ(backoff(1, 0, std::chrono::hours(24)), minutes(5));
}

TEST(Backoff, is_as_patient_as_it_is_told) {
  constexpr Patience patience{.first = seconds(30), .longest = minutes(60)};
  EXPECT_EQ(backoff(1, 0, {}, patience), seconds(15));
  EXPECT_EQ(backoff(2, 0, {}, patience), seconds(30));
  EXPECT_EQ(backoff(4'000'000'000U, 0, {}, patience), minutes(30));
  EXPECT_EQ(backoff(1, 0, minutes(20), patience), minutes(20));
}

TEST(Backoff, draws_jitter_between_nought_and_one) {
  for (int i = 0; i < 1000; ++i) {
    const auto jitter = draw_jitter();
    EXPECT_GE(jitter, 0);
    EXPECT_LT(jitter, 1);
  }
}

}  // namespace
}  // namespace entrepot::base::backoff_test
