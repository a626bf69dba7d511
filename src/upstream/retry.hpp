// When to try again after a failure: pure, so that its table is a test.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "upstream/setback.hpp"

namespace entrepot::upstream {

struct RetryRule {
  unsigned retries = 3;
  std::chrono::milliseconds first{200};      // before the first retry; doubles from there
  std::chrono::milliseconds longest{3'000};  // nobody is kept waiting longer than that
};

// How long to wait before trying again after `failures` failed tries (1 or more); absent: give up.
// `jitter` in [0, 1) spreads the herd over the upper half of the wait. A Retry-After is a floor;
// one that is longer than anyone here would wait means giving up.
std::optional<std::chrono::milliseconds> retry_delay(const RetryRule& rule, unsigned failures,
                                                     const Setback& setback, double jitter);

// A number in [0, 1). Thread-safe.
double draw_jitter();

// Keeps retries below the requests themselves, whatever goes wrong (reliability.md N-02): each
// question pays in one, each retry takes one out; a few are in it from the start. Thread-safe.
class RetryBudget {
 public:
  void pay_in();
  bool take_out();

 private:
  static constexpr int at_start = 3;
  static constexpr int most = 10;
  std::mutex mutex_;  // guards left_
  int left_ = at_start;
};

}  // namespace entrepot::upstream
