// Time as the daemon sees it. Waits and ages inside a run use SteadyTime; what is written to the
// index uses WallTime (milliseconds since 1970), because only that means something after a restart.
// Tests replace the clock by a manual one; production uses system_clock().
#pragma once

#include <chrono>
#include <cstdint>

namespace entrepot::base {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady() const = 0;
  virtual WallTime wall() const = 0;
};

// The machine's clock; lives for the whole process.
const Clock& system_clock();

}  // namespace entrepot::base
