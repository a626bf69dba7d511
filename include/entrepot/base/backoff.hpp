// When to try again what failed: pure, so that its table is a test.
#pragma once

#include <chrono>
#include <optional>

namespace entrepot::base {

struct Patience {
  std::chrono::milliseconds first = std::chrono::seconds(1);
  std::chrono::milliseconds longest = std::chrono::minutes(5);
};

// How long to wait after `failures` failures in a row (1 or more): `first`, doubling up to
// `longest`. `jitter` in [0, 1) spreads those who wait over the upper half of it. What the other
// side asked for (Retry-After) is a floor, up to the same `longest`.
std::chrono::milliseconds backoff(unsigned failures, double jitter,
                                  std::optional<std::chrono::milliseconds> asked_for,
                                  Patience patience = {});

// A number in [0, 1). Thread-safe.
double draw_jitter();

}  // namespace entrepot::base
