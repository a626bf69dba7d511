#include "entrepot/base/backoff.hpp"

#include <algorithm>
#include <random>

namespace entrepot::base {

using std::chrono::milliseconds;

std::chrono::milliseconds backoff(unsigned failures, double jitter,
                                  std::optional<milliseconds> asked_for, Patience patience) {
  auto whole = std::min(patience.first, patience.longest);
  for (unsigned i = 1; i < failures && whole < patience.longest; ++i) {
    whole = std::min(2 * whole, patience.longest);
  }
  const auto spread = milliseconds(
      static_cast<milliseconds::rep>(static_cast<double>(whole.count()) * (0.5 + jitter / 2)));
  return std::max(spread, std::min(asked_for.value_or(milliseconds(0)), patience.longest));
}

double draw_jitter() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace entrepot::base
