#include "upstream/mirror_set.hpp"

#include <algorithm>

namespace entrepot::upstream {
namespace {

using std::chrono::milliseconds;

constexpr unsigned failures_before_rest = 3;
constexpr milliseconds first_rest(300);
constexpr milliseconds longest_rest(10'000);
// A probe that has not reported by then was given up with its request; another may go.
constexpr milliseconds probe_lasts(30'000);

milliseconds rest_after(unsigned failures) {
  const auto doublings = std::min(failures - failures_before_rest, 10U);
  return std::min<milliseconds>(first_rest * (1 << doublings), longest_rest);
}

}  // namespace

MirrorSet::MirrorSet(std::size_t urls, const base::Clock& clock) : clock_(clock), health_(urls) {}

bool MirrorSet::healthy(const Health& health) const {
  return health.failures < failures_before_rest;
}

std::optional<std::size_t> MirrorSet::next(const std::vector<bool>& tried) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  for (std::size_t url = 0; url < health_.size(); ++url) {
    const auto& health = health_[url];
    if (!tried[url] && healthy(health) && now >= health.throttled_until) return url;
  }
  for (std::size_t url = 0; url < health_.size(); ++url) {
    auto& health = health_[url];
    if (tried[url] || healthy(health)) continue;
    if (now < std::max({health.rests_until, health.probed_until, health.throttled_until})) continue;
    health.probed_until = now + probe_lasts;
    return url;
  }
  return std::nullopt;
}

Setback MirrorSet::why_none() const {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  std::optional<base::SteadyTime> throttled_until;
  Setback setback{{registry::FailureKind::broken, "rests after failures"}};
  for (const auto& health : health_) {
    if (health.throttled_until > now)
      throttled_until =
          std::min(health.throttled_until, throttled_until.value_or(base::SteadyTime::max()));
    if (!health.last_failure.empty())
      setback.failure.message = "rests after failures; the last: " + health.last_failure;
  }
  if (!throttled_until) return setback;
  setback.failure.kind = registry::FailureKind::throttled;
  setback.failure.message = "asked us not to ask again yet";
  setback.failure.retry_after = std::chrono::ceil<std::chrono::seconds>(*throttled_until - now);
  return setback;
}

void MirrorSet::answered(std::size_t url) {
  const std::lock_guard lock(mutex_);
  health_[url].failures = 0;
  health_[url].probed_until = {};
  health_[url].last_failure.clear();
}

void MirrorSet::failed(std::size_t url, const std::string& reason) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  auto& health = health_[url];
  ++health.failures;
  health.probed_until = {};
  health.last_failure = reason;
  if (!healthy(health)) health.rests_until = now + rest_after(health.failures);
}

void MirrorSet::throttled(std::size_t url, std::chrono::seconds time) {
  const auto until = clock_.steady() + time;
  const std::lock_guard lock(mutex_);
  health_[url].probed_until = {};
  health_[url].throttled_until = std::max(health_[url].throttled_until, until);
}

}  // namespace entrepot::upstream
