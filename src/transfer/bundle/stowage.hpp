// Which volume a thing goes into. All sizes are known before anything is written, so this is
// arithmetic: what belongs together lies together where it fits, first fit otherwise, and what is
// larger than a volume is cut. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace entrepot::transfer {

struct Parcel {
  std::uint64_t size = 0;  // of its bytes
  std::uint64_t cost = 0;  // what a volume needs for it besides
};
struct Group {
  std::vector<std::uint32_t> parcels;
  std::uint64_t cost = 0;
};
// A parcel, or a piece of it, in a volume.
struct Stowed {
  std::uint32_t parcel = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  friend bool operator==(const Stowed&, const Stowed&) = default;
};

// REQUIRES: each parcel stands in one group; `capacity` is more than any parcel's cost and
// `piece_cost` (of a piece, beside its parcel's own). At most one piece of a parcel in a volume.
std::vector<std::vector<Stowed>> stow(const std::vector<Parcel>& parcels,
                                      const std::vector<Group>& groups, std::uint64_t capacity,
                                      std::uint64_t piece_cost);

}  // namespace entrepot::transfer
