// Tells a wall clock that somebody set from one that ran (reliability.md K-01). Not thread-safe.
#pragma once

#include <chrono>
#include <optional>

#include "entrepot/base/clock.hpp"

namespace entrepot::upkeep {

class ClockWatch {
 public:
  explicit ClockWatch(const base::Clock& clock);

  // Compares what passed on both clocks since the last look. Absent: no forward jump of more than
  // ten minutes was seen within the last `rest`; else how far the last one went.
  std::optional<std::chrono::milliseconds> jump_within(std::chrono::milliseconds rest);

 private:
  struct Jump {
    base::SteadyTime seen;
    std::chrono::milliseconds by;
  };

  const base::Clock& clock_;
  base::SteadyTime steady_;
  base::WallTime wall_;
  std::optional<Jump> jump_;
};

}  // namespace entrepot::upkeep
