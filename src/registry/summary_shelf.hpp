// Trees of summaries that were asked for lately: the questions of one comparison come one after the
// other, and most find the Journal where it stood. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/oci/digest.hpp"
#include "registry/summary_tree.hpp"

namespace entrepot::registry {

class SummaryShelf {
 public:
  using Tree = std::shared_ptr<const SummaryTree>;

  // Of 24 bytes each; the tree asked for last stays, however large it is.
  explicit SummaryShelf(std::size_t most_items = 2'000'000) : most_items_(most_items) {}

  // `of` stands for the repositories and the names they are told by. Null when there is none of
  // this state of the Journal, or it is a minute old: collections unlink without a row.
  Tree find(const oci::Digest& of, std::uint64_t newest_change, base::SteadyTime now) const;
  void put(const oci::Digest& of, std::uint64_t newest_change, base::SteadyTime now, Tree tree);

 private:
  struct Place {
    oci::Digest of;
    std::uint64_t newest_change = 0;
    base::SteadyTime made;
    Tree tree;
  };

  const std::size_t most_items_;
  mutable std::mutex mutex_;   // guards places_
  std::vector<Place> places_;  // newest last
};

}  // namespace entrepot::registry
