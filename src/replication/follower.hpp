// Keeps `here` in step with a peer by its Journal: copies what each row needs, applies rows in
// order together with the position in one transaction, repairs by summaries what the feed missed.
#pragma once

#include "entrepot/async/task.hpp"
#include "entrepot/replication/replicator.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

// Until it is cancelled (promptly: what was moved stays). Trouble with the peer is waited for and
// tried again inside; an exception that leaves it is the rule's failure, after which it is begun
// again with backoff. Tells errand->board where it stands, and the lag to the metrics. Items that
// fail go to errand->waiting, which is worked off by others.
async::Task<> follow(SharedErrand errand);

// `sync` of a rule that follows, by hand, also while follow() runs: returns when what the peer has
// now is here. Throws oci::Refusal when the peer cannot be asked.
async::Task<RunReport> catch_up(SharedErrand errand, RunListener listener);

}  // namespace entrepot::replication
