// A clock that moves only when the test says so.
#pragma once

#include <atomic>

#include "entrepot/base/clock.hpp"

namespace entrepot::test {

// Thread-safe. Starts in September 2001 by the wall.
class ManualClock final : public base::Clock {
 public:
  base::SteadyTime steady() const override {
    return base::SteadyTime(base::Milliseconds(passed_.load() + 1'000'000));
  }
  base::WallTime wall() const override {
    return base::WallTime(base::Milliseconds(1'000'000'000'000 + passed_.load() + set_.load()));
  }

  void advance(base::Milliseconds by) { passed_ += by.count(); }
  // Somebody sets the wall clock; steady time does not notice.
  void set_wall(base::Milliseconds by) { set_ += by.count(); }

 private:
  std::atomic<std::int64_t> passed_ = 0;
  std::atomic<std::int64_t> set_ = 0;
};

}  // namespace entrepot::test
