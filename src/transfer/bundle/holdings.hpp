// What this site can say it has, without telling more of it than 64 bits each: digests, manifests
// of a repository, and what tags point to.
#pragma once

#include <cstdint>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/glob.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::transfer {

struct Holdings {
  std::uint64_t repositories = 0;
  // In no order, some twice.
  std::vector<std::uint64_t> digests;
  // Of repositories: manifests, tags with what they point to, and tags alone, for a sender who may
  // have deleted them.
  std::vector<std::uint64_t> places;
};

// Of the local repositories that match. `index` and `globs` outlive it.
async::Task<Holdings> holdings(index::Index& index, const base::GlobSet& globs);

void sort_once(std::vector<std::uint64_t>& prefixes);
// Everything it says, ascending.
std::vector<std::uint64_t> all_of(Holdings holdings);

}  // namespace entrepot::transfer
