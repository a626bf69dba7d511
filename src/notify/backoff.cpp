#include "notify/backoff.hpp"

#include <algorithm>
#include <random>

namespace entrepot::notify {

using std::chrono::milliseconds;

std::chrono::milliseconds backoff(unsigned failures, double jitter,
                                  std::optional<milliseconds> asked_for) {
  constexpr milliseconds first{1'000};
  constexpr milliseconds longest{300'000};
  constexpr unsigned enough_doublings = 9;
  const auto doublings = std::min(std::max(failures, 1U) - 1, enough_doublings);
  const auto whole = std::min<milliseconds>(first * (1 << doublings), longest);
  const auto spread = milliseconds(
      static_cast<milliseconds::rep>(static_cast<double>(whole.count()) * (0.5 + jitter / 2)));
  return std::max(spread, std::min(asked_for.value_or(milliseconds(0)), longest));
}

double draw_jitter() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace entrepot::notify
