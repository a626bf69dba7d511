// What a rule covers of its source now.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/registry/failure.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

// Which repositories, and which references of each; none: all that the rule covers of it.
using Selection = std::map<oci::RepositoryName, std::set<std::string>>;

struct Found {
  oci::RepositoryName repository;
  std::optional<oci::Tag> tag{};  // absent: a manifest asked for by its digest
  oci::Digest digest;
  std::optional<index::Version> version{};
  std::optional<index::Change> change{};  // in the Journal of a peer that is followed
};

struct Trouble {
  ItemName item;
  registry::Failure failure;
};

struct Survey {
  std::uint64_t repositories = 0;
  std::vector<Found> found{};
  std::vector<Trouble> troubles{};
  // Every tag, covered or not, of the repositories that could be listed to the end.
  std::map<oci::RepositoryName, std::set<oci::Tag>> listed{};
  bool whole = false;  // the catalog was read to its end: what is not in `listed` or in trouble
                       // does not exist

  // Whether the source was seen to have no such tag.
  bool lacks(const oci::RepositoryName& repository, const oci::Tag& tag) const;
};

// Throws oci::Refusal when the rule needs a catalog and the source gives none.
async::Task<Survey> survey(SharedErrand errand, std::optional<Selection> selection);

}  // namespace entrepot::replication
