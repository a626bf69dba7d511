#include "registry/guard.hpp"

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "entrepot/index/collection.hpp"

namespace entrepot::registry {

namespace {
constexpr std::size_t most_looked_at = 100'000;
constexpr std::chrono::hours furthest_ahead{24};
}  // namespace

void check_local(const index::View& view, const oci::RepositoryName& repository) {
  if (index::claimed_as(view, repository) != index::RepositoryKind::mirrored) return;
  oci::Refusal refusal(oci::ErrorCode::unsupported, "mirrored repositories are read-only");
  refusal.allow = "GET, HEAD";
  throw refusal;
}

void check_not_kept(const index::View& view, const Policy& policy,
                    const oci::RepositoryName& repository, const oci::Digest& digest) {
  if (policy.options().immutable.empty()) return;
  std::set<oci::Digest> seen{digest};
  std::vector<oci::Digest> waiting{digest};
  while (!waiting.empty()) {
    const auto one = waiting.back();
    waiting.pop_back();
    for (const auto& tag : index::tags_of(view, repository, one, most_looked_at)) {
      if (!policy.is_immutable(repository, tag)) continue;
      throw oci::Refusal(oci::ErrorCode::denied, "immutable tag " + tag.text() + " leads to it");
    }
    for (const auto& parent : index::listed_by(view, repository, one, most_looked_at)) {
      if (seen.insert(parent).second) waiting.push_back(parent);
    }
  }
}

void check_clock(const index::Version& version, base::WallTime now) {
  if (version.time <= now + furthest_ahead) return;
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(version.time - now);
  throw oci::Refusal(oci::ErrorCode::denied,
                     "was changed " + std::to_string(hours.count()) +
                         " hours ahead of the clock here: one of the sites' clocks is wrong");
}

}  // namespace entrepot::registry
