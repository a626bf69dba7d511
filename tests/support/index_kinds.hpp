// Every implementation of index::Index there is, for suites that run on all of them.
#pragma once

#include <vector>

#include "support/any_index.hpp"
#include "support/memory_index.hpp"

namespace entrepot::test {

inline std::vector<IndexKind> index_kinds() {
  return {
      {"lmdb", [](const auto& data) { return index::open_lmdb_index(data); }},
      {"memory", [](const auto&) { return std::make_unique<MemoryIndex>(); }},
  };
}

}  // namespace entrepot::test
