// One removal of a run, done. Hours may lie between plan and deed, so both sides are asked again.
#pragma once

#include "entrepot/async/task.hpp"
#include "entrepot/registry/failure.hpp"
#include "replication/errand.hpp"
#include "replication/plan.hpp"

namespace entrepot::replication {

enum class Fate {
  removed,
  wanted,   // the source has it again, or does not say
  changed,  // somebody changed it at the target since it was planned: it stays
  gone,     // nothing was there any more
};

// Here, the last look and the removal are one transaction; elsewhere a HEAD comes right before it,
// for no registry deletes a tag on a condition.
async::Task<registry::Answer<Fate>> take_away(SharedErrand errand, Removal removal);

}  // namespace entrepot::replication
