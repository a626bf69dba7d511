#include "transfer/bundle/stowage.hpp"

#include <algorithm>

namespace entrepot::transfer {
namespace {

// Older volumes are as good as full.
constexpr std::size_t volumes_open = 64;

class Hold {
 public:
  Hold(const std::vector<Parcel>& parcels, std::uint64_t capacity, std::uint64_t piece_cost)
      : parcels_(parcels), capacity_(capacity), piece_cost_(piece_cost) {}

  void take(const Group& group) {
    std::uint64_t need = group.cost;
    for (const auto number : group.parcels) need += parcels_[number].size + parcels_[number].cost;
    if (need <= capacity_) {
      const auto volume = volume_with(need);
      room_[volume] -= need;
      for (const auto number : group.parcels) {
        volumes_[volume].push_back({number, 0, parcels_[number].size});
      }
      return;
    }
    for (const auto number : group.parcels) take_alone(number);
  }
  std::vector<std::vector<Stowed>> done() { return std::move(volumes_); }

 private:
  void take_alone(std::uint32_t number) {
    const auto& [size, cost] = parcels_[number];
    if (size + cost <= capacity_) return put({number, 0, size}, volume_with(size + cost), cost);
    const auto piece = capacity_ - cost - piece_cost_;
    std::uint64_t offset = 0;
    for (; size - offset > piece; offset += piece) {
      put({number, offset, piece}, new_volume(), cost + piece_cost_);
    }
    // Not beside another piece of it: those volumes are full.
    const auto rest = size - offset;
    put({number, offset, rest}, volume_with(rest + cost + piece_cost_), cost + piece_cost_);
  }
  void put(Stowed stowed, std::size_t volume, std::uint64_t cost) {
    room_[volume] -= stowed.size + cost;
    volumes_[volume].push_back(stowed);
  }
  std::size_t volume_with(std::uint64_t need) {
    const auto first = room_.size() - std::min(room_.size(), volumes_open);
    for (auto volume = first; volume < room_.size(); ++volume) {
      if (room_[volume] >= need) return volume;
    }
    return new_volume();
  }
  std::size_t new_volume() {
    room_.push_back(capacity_);
    volumes_.emplace_back();
    return room_.size() - 1;
  }

  const std::vector<Parcel>& parcels_;
  const std::uint64_t capacity_;
  const std::uint64_t piece_cost_;
  std::vector<std::uint64_t> room_;
  std::vector<std::vector<Stowed>> volumes_;
};

}  // namespace

std::vector<std::vector<Stowed>> stow(const std::vector<Parcel>& parcels,
                                      const std::vector<Group>& groups, std::uint64_t capacity,
                                      std::uint64_t piece_cost) {
  Hold hold(parcels, capacity, piece_cost);
  for (const auto& group : groups) hold.take(group);
  return hold.done();
}

}  // namespace entrepot::transfer
