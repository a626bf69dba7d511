#include <algorithm>
#include <utility>

#include "entrepot/registry/copy.hpp"

namespace entrepot::registry {
namespace {

// The old generation goes when the young one is full.
constexpr std::size_t most_digests = 8192;
// A registry asked to mount tries them one by one.
constexpr std::size_t most_repositories = 3;

}  // namespace

void Sightings::add(const oci::Digest& digest, const oci::RepositoryName& repository) {
  const std::lock_guard lock(mutex_);
  if (young_.size() >= most_digests) old_ = std::exchange(young_, {});
  auto& places = young_[digest];
  if (places.empty()) {
    if (const auto before = old_.find(digest); before != old_.end()) places = before->second;
  }
  if (std::ranges::find(places, repository) != places.end()) return;
  places.insert(places.begin(), repository);
  if (places.size() > most_repositories) places.pop_back();
}

std::vector<oci::RepositoryName> Sightings::of(const oci::Digest& digest) const {
  const std::lock_guard lock(mutex_);
  for (const auto* generation : {&young_, &old_}) {
    if (const auto found = generation->find(digest); found != generation->end()) {
      return found->second;
    }
  }
  return {};
}

}  // namespace entrepot::registry
