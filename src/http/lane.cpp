#include "entrepot/http/lane.hpp"

namespace entrepot::http {
namespace {

using Duration = base::SteadyTime::duration;

constexpr std::chrono::milliseconds burst(100);
constexpr std::chrono::seconds one_second(1);
constexpr std::uint64_t trickle_share = 32;
// A minute of such seconds halves what is remembered.
constexpr double forgetting = 0.9885;
// After a longer silence there is nothing to remember.
constexpr int most_forgotten = 1800;

Duration time_for(std::uint64_t count, std::uint64_t per_second) {
  const std::chrono::duration<double> seconds(static_cast<double>(count) /
                                              static_cast<double>(per_second));
  return std::chrono::duration_cast<Duration>(seconds);
}

}  // namespace

std::chrono::nanoseconds TokenBucket::take(std::uint64_t count) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto wait = std::max(free_at_ - now, Duration::zero());
  free_at_ = std::max(free_at_, now - burst) + time_for(count, per_second_);
  return wait;
}

std::shared_ptr<Line> make_line(const base::Clock& clock, base::Metrics& metrics) {
  return std::make_shared<Line>(clock, metrics);
}

void Line::interactive(std::uint64_t bytes) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  standing_till_ = now + quiet;
  metrics_.line_interactive(bytes);
  count(bytes, now);
}

bool Line::carry(std::uint64_t bytes) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  if (now < standing_till_) return false;
  metrics_.line_replication(bytes);
  count(bytes, now);
  return true;
}

std::chrono::nanoseconds Line::replication(std::uint64_t bytes, Turn& turn) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  if (now < standing_till_) {
    if (!turn) {
      turn = std::max(trickled_till_, now);
      trickled_till_ = *turn + time_for(bytes, trickle());
      if (now < *turn) metrics_.line_yielded();
    }
    if (now < *turn) return std::min(*turn, standing_till_) - now;
  } else {
    trickled_till_ = {};
  }
  turn.reset();
  metrics_.line_replication(bytes);
  count(bytes, now);
  return Duration::zero();
}

// Counts in seconds: what one second had, when it is over, is compared with the best so far.
void Line::count(std::uint64_t bytes, base::SteadyTime now) {
  if (now - second_began_ >= one_second) {
    const auto passed = std::min<std::int64_t>((now - second_began_) / one_second, most_forgotten);
    double best = static_cast<double>(std::max(best_, second_));
    for (std::int64_t i = 0; i < passed; ++i) best *= forgetting;
    best_ = static_cast<std::uint64_t>(best);
    second_began_ = now;
    second_ = 0;
  }
  second_ += bytes;
}

std::uint64_t Line::trickle() const { return std::max(best_ / trickle_share, least_trickle); }

}  // namespace entrepot::http
