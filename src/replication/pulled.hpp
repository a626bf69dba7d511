// Rules of tags that were pulled here lately through a mirror: what changed upstream since is
// fetched ahead of the next pull.
//
// A pull confirms a tag at its upstream, and that time is what "lately" means; so does fetching by
// this rule, which therefore notes when somebody pulled it before. Else a tag that changes often
// would be fetched for ever for nobody.
#pragma once

#include <optional>

#include "entrepot/async/task.hpp"
#include "replication/errand.hpp"
#include "replication/plan.hpp"

namespace entrepot::replication {

async::Task<Plan> plan_pulled(SharedErrand errand, std::optional<Selection> selection);
// Has the image's tags fetched into the mirror.
async::Task<registry::Answer<registry::CopyTally>> warm(SharedErrand errand, Image image);

}  // namespace entrepot::replication
