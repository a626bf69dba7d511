#include "upkeep/clock_watch.hpp"

#include "entrepot/base/log.hpp"

namespace entrepot::upkeep {

namespace {

constexpr std::chrono::minutes believable{10};

}  // namespace

ClockWatch::ClockWatch(const base::Clock& clock)
    : clock_(clock), steady_(clock.steady()), wall_(clock.wall()) {}

std::optional<std::chrono::milliseconds> ClockWatch::jump_within(std::chrono::milliseconds rest) {
  const auto steady = clock_.steady();
  const auto wall = clock_.wall();
  const auto ran = std::chrono::duration_cast<std::chrono::milliseconds>(steady - steady_);
  const auto by = (wall - wall_) - ran;
  if (by > believable) {
    jump_ = Jump{steady, by};
    base::log::warn("wall clock jumped forward, collection rests",
                    {{"jump_seconds", by.count() / 1000}, {"rest_seconds", rest.count() / 1000}});
  }
  steady_ = steady;
  wall_ = wall;
  if (jump_ && steady - jump_->seen < rest) return jump_->by;
  return std::nullopt;
}

}  // namespace entrepot::upkeep
