// The first step of a collection: links of local repositories that nothing holds.
#pragma once

#include "entrepot/async/task.hpp"
#include "upkeep/round.hpp"

namespace entrepot::upkeep {

// Manifests nobody needs, and those that were only needed by them (children of an index, referrers
// of a subject), however deep.
async::Task<> collect_manifest_links(Round& round);
// Blobs that no manifest of their repository lists any more.
async::Task<> collect_blob_links(Round& round);

}  // namespace entrepot::upkeep
