// What this site can say it has, without telling more of a digest than 64 bits.
#pragma once

#include <cstdint>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/glob.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::transfer {

struct Holdings {
  std::uint64_t repositories = 0;
  std::vector<std::uint64_t> prefixes;  // in no order, some twice
};

// Of the local repositories that match. `index` and `globs` outlive it.
async::Task<Holdings> holdings(index::Index& index, const base::GlobSet& globs);

void sort_once(std::vector<std::uint64_t>& prefixes);

}  // namespace entrepot::transfer
