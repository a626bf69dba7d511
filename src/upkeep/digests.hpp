// The second step of a collection: content that no repository has a right to any more.
#pragma once

#include "entrepot/async/task.hpp"
#include "upkeep/round.hpp"

namespace entrepot::upkeep {

// Its rows first, in one transaction; then, with the digest still held for us alone, its file.
async::Task<> collect_digests(Round& round);

}  // namespace entrepot::upkeep
