// When to try a receiver again: pure, so that its table is a test.
#pragma once

#include <chrono>
#include <optional>

namespace entrepot::notify {

// How long to wait after `failures` failed deliveries in a row (1 or more): 1 s, doubling up to
// 5 min. `jitter` in [0, 1) spreads the daemons of a site over the upper half of the wait. What the
// receiver asked for (Retry-After) is a floor, up to the same 5 min.
std::chrono::milliseconds backoff(unsigned failures, double jitter,
                                  std::optional<std::chrono::milliseconds> asked_for);

// A number in [0, 1). Thread-safe.
double draw_jitter();

}  // namespace entrepot::notify
