// Anti-entropy: what the feed missed is found by summaries and brought here, with its versions.
#pragma once

#include <cstdint>

#include "entrepot/async/task.hpp"
#include "entrepot/registry/failure.hpp"
#include "replication/delivery.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

struct Repaired {
  RunReport report{};
  std::uint64_t different = 0;  // items found to differ
};

// REQUIRES: is_comparable(). Items only there are brought; where both have one the greater version
// stays, or what the rule's conflict says; items only here go when the source has deleted them
// later than they came, or it has none of them and the rule says exact; when it keeps what is
// deleted nobody is asked about them. What already waits for its own time is left alone. A failure
// is the line's; what was repaired until then stays. Throws as Delivery::run().
async::Task<registry::Answer<Repaired>> repair(SharedErrand errand, Setbacks& setbacks,
                                               RunListener listener);

}  // namespace entrepot::replication
