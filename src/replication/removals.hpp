// What a run removes at the target, by the rule's word on deletions.
//
// follow: tags this rule brought, that are as it brought them, and that the source was seen not to
// have any more. exact: every tag the rule's patterns mean and it would not bring now. Only in
// repositories whose tags the source listed to the end; and repositories the source has no more,
// when its catalog was read and the rule renames by a prefix or names them one by one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/index.hpp"
#include "replication/errand.hpp"
#include "replication/plan.hpp"
#include "replication/survey.hpp"

namespace entrepot::replication {

struct Removals {
  std::vector<Removal> removals{};
  std::size_t vanished = 0;  // of them what the source has no more
  std::size_t covered = 0;   // tags at the target the rule answers for
  std::string source{};
  std::vector<Trouble> troubles{};  // of the target, which did not say what stands there

  // More than half at once is more likely a broken source than a wish, unless a person looks on.
  bool too_many(Origin origin) const { return origin == Origin::trigger && 2 * vanished > covered; }
  std::string sentence() const;
};

async::Task<Removals> find_removals(SharedErrand errand, const Survey& survey);

// Whether this rule, and nobody since, made a tag of `here` what it is.
bool brought_here(const index::View& view, const Errand& errand,
                  const oci::RepositoryName& repository, const oci::Tag& tag);

// For targets that keep no Journal we can read: what a rule brought them, and when it is gone.
async::Task<> note_brought(SharedErrand errand, Image image);
async::Task<> forget_brought(SharedErrand errand, Removal removal);

}  // namespace entrepot::replication
