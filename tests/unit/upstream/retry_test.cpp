#include "upstream/retry.hpp"

#include <gtest/gtest.h>

namespace entrepot::upstream::retry_test {
namespace {

using namespace std::chrono_literals;
using registry::FailureKind;
using std::chrono::milliseconds;

struct Case {
  unsigned failures;
  Again again;
  std::optional<std::chrono::seconds> retry_after;
  double jitter;
  std::optional<milliseconds> expected;
};

// Rows: N-02, N-03
TEST(Retry, waits_twice_as_long_each_time_and_gives_up) {
  constexpr auto hope = Again::may_help;
  const Case cases[] = {
      {1, hope, {}, 0.0, 100ms},  {1, hope, {}, 1.0, 200ms},    {2, hope, {}, 0.0, 200ms},
      {3, hope, {}, 0.0, 400ms},  {4, hope, {}, 0.5, 750ms},    {5, hope, {}, 0.0, 500ms},
      {5, hope, {}, 1.0, 1000ms}, {6, hope, {}, 0.0, {}},       {1, Again::is_pointless, {}, 0, {}},
      {1, hope, 1s, 0.0, 1000ms}, {5, hope, 0s, 0.0, 500ms},    {1, hope, 2s, 0.0, {}},
      {1, hope, 600s, 0.0, {}},   {9'999'999, hope, {}, 0, {}},
  };
  const RetryRule rule{.retries = 5, .first = 200ms, .longest = 1'000ms};
  for (const auto& each : cases) {
    Setback setback{{FailureKind::broken, ""}, each.again, Blame::server};
    setback.failure.retry_after = each.retry_after;
    EXPECT_EQ(retry_delay(rule, each.failures, setback, each.jitter), each.expected)
        << each.failures;
  }
}

TEST(Retry, the_wait_stays_bounded_however_many_retries) {
  const RetryRule rule{.retries = 1'000, .first = 200ms, .longest = 3'000ms};
  const Setback setback{{FailureKind::broken, ""}, Again::may_help, Blame::server};
  EXPECT_EQ(retry_delay(rule, 1'000, setback, 1.0), 3'000ms);
}

// Rows: N-02
TEST(Retry, the_budget_keeps_retries_below_questions) {
  RetryBudget budget;
  int asked = 0;
  for (int question = 0; question < 1'000; ++question) {
    budget.pay_in();
    ++asked;
    for (int retry = 0; retry < 5 && budget.take_out(); ++retry) ++asked;
  }
  EXPECT_LE(asked, 2 * 1'000 + 3);
}

}  // namespace
}  // namespace entrepot::upstream::retry_test
