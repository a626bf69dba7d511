// What local repositories hold that sites compare: tags and linked manifests, read in pages.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "entrepot/index/catalog.hpp"

namespace entrepot::index {

struct HeldTag {
  oci::Tag tag;
  TagRecord record;
};
// Up to `limit` tags in byte order after `after`.
std::vector<HeldTag> held_tags(const View& view, const oci::RepositoryName& repository,
                               std::string_view after, std::size_t limit);

// Manifests among the next `links_to_look_at` links after `after`, in key order.
struct HeldManifests {
  std::vector<oci::Digest> found;
  std::optional<oci::Digest> next;  // the `after` of the next page; absent: that was the last
};
HeldManifests held_manifests(const View& view, const oci::RepositoryName& repository,
                             const std::optional<oci::Digest>& after, std::size_t links_to_look_at);

}  // namespace entrepot::index
