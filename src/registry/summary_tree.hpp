// The tree of a summary (feed.hpp): pure. Both sites compute it, so its bytes are part of the wire:
//
//   place of a tag        sha256(repository 00 "t" tag)
//   place of a manifest   sha256(repository 00 "m" text of its digest)
//   hash of an item       the first 16 bytes of sha256(place, text of the digest)
//
// Kept as the items' places in order with running sums of their hashes: a node is the difference of
// two of them, so any node costs two binary searches and nothing is stored per node.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "entrepot/registry/feed.hpp"

namespace entrepot::registry {

// At most eight lower-case hexadecimal digits.
bool is_prefix(std::string_view text);

struct SummaryLeaf {
  std::uint64_t place = 0;  // its first 8 bytes
  std::array<std::uint64_t, 2> hash{};
};
SummaryLeaf leaf_of(std::string_view repository, std::string_view tag, const oci::Digest& digest);
// Where an item stands, as in its leaf. `tag` empty: the manifest itself.
std::uint64_t place_of(std::string_view repository, std::string_view tag,
                       const oci::Digest& digest);
bool is_under(std::uint64_t place, std::string_view prefix);

class SummaryTree {
 public:
  explicit SummaryTree(std::vector<SummaryLeaf> leaves);

  // REQUIRES: is_prefix().
  Summary summary(std::string_view prefix) const;
  std::size_t size() const { return places_.size(); }

 private:
  using Sum = std::array<std::uint64_t, 2>;  // high, low
  // Of the items from the first up to this place.
  std::size_t count_below(std::uint64_t place) const;

  std::vector<std::uint64_t> places_;  // ascending
  std::vector<Sum> sums_;              // of the first n items; one more than places_
};

}  // namespace entrepot::registry
