// Brings an index of an older schema up to ours, in the transaction that writes the new number: a
// crash leaves the old index or the new one (reliability.md D-12). Called by Environment at open.
//
//   1  the first
//   2  links carry time and size, every change of a tag has a history row, and there are tagged,
//      left, usages and subjects
//   3  sums
//   4  the index knows its site and its Journal, tags and journal rows carry the version of their
//      change (of this site, all of them), and how far the Journal was dropped is written down
#pragma once

#include <cstdint>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::index {

inline constexpr std::uint64_t our_schema = 4;

// Links of schema 1 are `now` old. A pass over links, tags, journal and referrers: some
// microseconds a row, and the changed pages in memory until the commit. REQUIRES: an older schema.
void migrate(Batch& batch, base::WallTime now);

}  // namespace entrepot::index
