#include "entrepot/upstream/rate_budget.hpp"

#include <algorithm>

namespace entrepot::upstream {
namespace {

using std::chrono::seconds;

constexpr seconds shortest_doubt(60);
constexpr seconds longest_doubt(3600);

// Until as many as are missing have come back, if they come back evenly.
seconds until_enough(const RateLimit& limit, std::uint64_t reserve) {
  if (!limit.window || limit.limit.value_or(0) == 0) return shortest_doubt;
  const auto missing = static_cast<double>(reserve - limit.remaining + 1);
  const auto each = static_cast<double>(limit.window->count()) / static_cast<double>(*limit.limit);
  const auto bounded = std::clamp(missing * each, static_cast<double>(shortest_doubt.count()),
                                  static_cast<double>(longest_doubt.count()));
  return seconds(static_cast<seconds::rep>(bounded));
}

}  // namespace

void RateBudget::heard(const std::string& origin, const RateLimit& limit) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[origin];
  entry.limit = limit;
  entry.doubted_from = now;
}

void RateBudget::throttled(const std::string& origin, seconds time) {
  const auto until = clock_.steady() + time;
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[origin];
  entry.throttled_until = std::max(entry.throttled_until, until);
}

std::optional<seconds> RateBudget::wait(const std::string& origin, Cost cost,
                                        std::uint64_t reserve) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(origin);
  if (found == entries_.end()) return std::nullopt;
  auto& entry = found->second;
  if (entry.throttled_until > now) return std::chrono::ceil<seconds>(entry.throttled_until - now);
  if (cost == Cost::nothing || !entry.limit) return std::nullopt;
  if (entry.limit->remaining > reserve) {
    --entry.limit->remaining;
    return std::nullopt;
  }
  const auto doubted = entry.doubted_from + until_enough(*entry.limit, reserve);
  if (now < doubted) return std::chrono::ceil<seconds>(doubted - now);
  entry.doubted_from = now;
  return std::nullopt;
}

std::optional<RateLimit> RateBudget::known(const std::string& origin) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(origin);
  return found == entries_.end() ? std::nullopt : found->second.limit;
}

}  // namespace entrepot::upstream
