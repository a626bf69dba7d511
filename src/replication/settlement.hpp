// What becomes of one change of a source here, by the word of its rule.
#pragma once

#include <string>

#include "entrepot/async/task.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/registry/failure.hpp"
#include "entrepot/replication/replicator.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

inline constexpr const char* vanished = "it was deleted here before it could be applied";

enum class Settled {
  done,      // it stands here now
  held,      // it stood already, or something newer does that knew of it
  conflict,  // what stands here stays; both sides had changed it
  passed,    // the rule does not want it
  missing,   // what it points to is not here
};

// Which changes of a tag may be made to win that would lose: only the last word of a source.
enum class Word { last, earlier };

// What a change is about, as the waiting list and people call it.
std::string reference_of(const index::Change& change);

// Inside the transaction of `batch`, and nothing outside it: it may run again. `change` is in the
// words of `here`. Throws oci::Refusal when this registry refuses it; the batch is as it was then.
Settled settle(index::Batch& batch, const index::Change& change, Word word, const Errand& errand,
               base::WallTime now);

// The same in a transaction of its own, for the last word of a source whose content was brought. A
// refusal of this registry is a failure, and so is content that went again.
async::Task<registry::Answer<Settled>> settle_alone(SharedErrand errand, index::Change change);

// Whether the content a change points to is to be brought: for a tag that will point to it whatever
// became of the manifest itself, since a tag keeps its manifest; else not when it was deleted here,
// or elsewhere, later than that.
bool wants_content(const index::View& view, const index::Change& change, Word word,
                   const Errand& errand);

}  // namespace entrepot::replication
