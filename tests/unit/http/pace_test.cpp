#include "http/pace.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::pace_test {
namespace {

constexpr PaceRule rule{.looks = 10, .least = 100};

// How many looks somebody survives who moves `bytes` between any two; 0: all of a thousand.
int looks_until_slow(std::uint64_t bytes) {
  Pace pace;
  for (int look = 1; look <= 1000; ++look) {
    if (!pace.keeps(rule, bytes * static_cast<std::uint64_t>(look))) return look;
  }
  return 0;
}

// Rows: R-02
TEST(Pace, the_first_window_is_for_free_every_other_one_counts) {
  EXPECT_EQ(looks_until_slow(0), 20);
  EXPECT_EQ(looks_until_slow(9), 20);
  EXPECT_EQ(looks_until_slow(10), 0);
  EXPECT_EQ(looks_until_slow(1'000'000), 0);
}

// Rows: R-02
TEST(Pace, haste_at_the_beginning_buys_no_rest_later) {
  Pace pace;
  for (unsigned look = 1; look <= 30; ++look) EXPECT_TRUE(pace.keeps(rule, 1'000'000U * look));
  for (int look = 0; look < 9; ++look) EXPECT_TRUE(pace.keeps(rule, 30'000'000));
  EXPECT_FALSE(pace.keeps(rule, 30'000'000));
  pace.begin();
  for (int look = 0; look < 19; ++look) EXPECT_TRUE(pace.keeps(rule, 30'000'000));
  EXPECT_FALSE(pace.keeps(rule, 30'000'000));
}

}  // namespace
}  // namespace entrepot::http::pace_test
