// Brings an index of an older schema up to ours, in the transaction that writes the new number: a
// crash leaves the old index or the new one (reliability.md D-12). Called by Environment at open.
//
//   1  the first
//   2  links carry time and size, every change of a tag has a history row, and there are tagged,
//      left, usages and subjects
//   3  sums
#pragma once

#include <cstdint>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::index {

inline constexpr std::uint64_t our_schema = 3;

// From schema 1, where every link is `now` old, with one pass over links, tags, journal and
// referrers; from schema 2 with one over repositories. Some microseconds a row, and the changed
// pages in memory until the commit.
void migrate(Batch& batch, base::WallTime now);

}  // namespace entrepot::index
