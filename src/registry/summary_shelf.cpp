#include "registry/summary_shelf.hpp"

#include <algorithm>
#include <utility>

namespace entrepot::registry {
namespace {
constexpr auto longest_kept = std::chrono::minutes(1);
constexpr std::size_t most_trees = 8;
}  // namespace

SummaryShelf::Tree SummaryShelf::find(const oci::Digest& of, std::uint64_t newest_change,
                                      base::SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(places_, of, &Place::of);
  const bool good = found != places_.end() && found->newest_change == newest_change &&
                    now - found->made < longest_kept;
  return good ? found->tree : nullptr;
}

void SummaryShelf::put(const oci::Digest& of, std::uint64_t newest_change, base::SteadyTime now,
                       Tree tree) {
  const std::lock_guard lock(mutex_);
  std::erase_if(places_, [&](const Place& place) { return place.of == of; });
  places_.push_back({of, newest_change, now, std::move(tree)});
  std::size_t items = 0;
  for (const auto& place : places_) items += place.tree->size();
  while (places_.size() > most_trees || (items > most_items_ && places_.size() > 1)) {
    items -= places_.front().tree->size();
    places_.erase(places_.begin());
  }
}

}  // namespace entrepot::registry
