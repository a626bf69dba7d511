#include "upstream/retry.hpp"

#include <algorithm>
#include <random>

namespace entrepot::upstream {

using std::chrono::milliseconds;

std::optional<milliseconds> retry_delay(const RetryRule& rule, unsigned failures,
                                        const Setback& setback, double jitter) {
  if (setback.again == Again::is_pointless || failures > rule.retries) return std::nullopt;
  const auto doublings = std::min(failures - 1, 20U);
  const auto whole = std::min<milliseconds>(rule.first * (1 << doublings), rule.longest);
  const auto spread = milliseconds(
      static_cast<milliseconds::rep>(static_cast<double>(whole.count()) * (0.5 + jitter / 2)));
  if (!setback.failure.retry_after) return spread;
  const milliseconds floor = *setback.failure.retry_after;
  if (floor > rule.longest) return std::nullopt;
  return std::max(floor, spread);
}

double draw_jitter() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

void RetryBudget::pay_in() {
  const std::lock_guard lock(mutex_);
  left_ = std::min(left_ + 1, most);
}

bool RetryBudget::take_out() {
  const std::lock_guard lock(mutex_);
  if (left_ == 0) return false;
  --left_;
  return true;
}

}  // namespace entrepot::upstream
