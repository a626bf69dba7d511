// Two sites compared by their summaries, as a rule sees them.
#pragma once

#include <optional>
#include <set>

#include "entrepot/async/task.hpp"
#include "replication/difference_walk.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

// Whether a rule's sites can be compared: it takes everything of repositories named by globs, and
// both sides tell what they hold.
bool is_comparable(const Errand& errand);

// REQUIRES: is_comparable().
DifferenceWalk::Side source_side(const Errand& errand);
DifferenceWalk::Side target_side(const Errand& errand);

// Repositories of the source that hold a manifest which the target has not there. Absent when
// summaries do not tell: the sites cannot be compared, one does not answer, or they differ in so
// much that the walk is not worth it.
async::Task<std::optional<std::set<oci::RepositoryName>>> lacking(SharedErrand errand);

}  // namespace entrepot::replication
