// What was deleted here, for who cannot read our Journal: receivers of bundles.
#pragma once

#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/journal.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

// Of what the rule means: the last change of each tag and manifest that was deleted here and stayed
// so, as the Journal still knows it; tags first, for a manifest stays while a tag points to it. In
// the target's names. REQUIRES: the rule's source is here.
async::Task<std::vector<index::Change>> tombstones(SharedErrand errand);

}  // namespace entrepot::replication
