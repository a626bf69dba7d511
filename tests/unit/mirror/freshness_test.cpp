#include "mirror/freshness.hpp"

#include <gtest/gtest.h>

namespace entrepot::mirror::freshness_test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr FreshnessRule rule{.fresh = seconds(60),
                             .stale_while_revalidate = seconds(30),
                             .stale_if_error = hours(1),
                             .negative = seconds(10)};
constexpr FreshnessRule never_fresh{.fresh = seconds(0)};

// Rows: C-18
TEST(Freshness, a_step_for_every_age) {
  struct Row {
    FreshnessRule rule;
    Asking asking;
    Pin pin;
    milliseconds age;
    Step step;
  };
  for (const auto& row : {
           Row{rule, Asking::allowed, Pin::loose, seconds(0), Step::answer},
           Row{rule, Asking::allowed, Pin::loose, milliseconds(59'999), Step::answer},
           Row{rule, Asking::allowed, Pin::loose, seconds(60), Step::answer_and_refresh},
           Row{rule, Asking::allowed, Pin::loose, milliseconds(89'999), Step::answer_and_refresh},
           Row{rule, Asking::allowed, Pin::loose, seconds(90), Step::ask},
           Row{rule, Asking::allowed, Pin::loose, hours(10'000), Step::ask},
           Row{rule, Asking::allowed, Pin::loose, milliseconds(-100), Step::answer},
           Row{rule, Asking::allowed, Pin::loose, -hours(1), Step::ask},
           Row{rule, Asking::allowed, Pin::pinned, hours(10'000), Step::answer_pinned},
           Row{rule, Asking::never, Pin::loose, seconds(0), Step::answer_offline},
           Row{rule, Asking::never, Pin::pinned, hours(1), Step::answer_offline},
           Row{never_fresh, Asking::allowed, Pin::loose, seconds(0), Step::ask},
       }) {
    EXPECT_EQ(decide(row.rule, row.asking, row.pin, row.age), row.step) << row.age.count();
  }
}

// Rows: C-18
TEST(Freshness, a_stale_tag_is_served_within_a_limit) {
  EXPECT_EQ(if_error(rule, seconds(70)), IfError::serve_stale);
  EXPECT_EQ(if_error(rule, hours(1)), IfError::serve_stale);
  EXPECT_EQ(if_error(rule, hours(1) + milliseconds(1)), IfError::fail);
  EXPECT_EQ(if_error(FreshnessRule{.stale_if_error = seconds(0)}, seconds(1)), IfError::fail);
}

}  // namespace
}  // namespace entrepot::mirror::freshness_test
