// Tags that belong to an image by their name, as cosign makes them: sha256-<hex>.sig, .att, .sbom.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::replication {

// Of any image.
inline bool is_companion(const oci::Tag& tag) {
  constexpr std::string_view start = "sha256-";
  constexpr std::size_t digits = 64;
  const std::string_view text = tag.text();
  if (!text.starts_with(start) || text.size() < start.size() + digits) return false;
  const auto hex = text.substr(start.size(), digits);
  return hex.find_first_not_of("0123456789abcdef") == hex.npos;
}

// The image a companion belongs to.
inline std::optional<oci::Digest> subject_of(const oci::Tag& companion) {
  if (!is_companion(companion)) return std::nullopt;
  constexpr std::size_t digits = 64;
  const auto hex = companion.text().substr(companion.text().find('-') + 1, digits);
  return oci::Digest::parse("sha256:" + hex);
}

// Those `digest` may have. The bare sha256-<hex>, by which old registries list referrers, is none:
// referrers are carried as such.
inline std::vector<oci::Tag> companions(const oci::Digest& digest) {
  std::vector<oci::Tag> found;
  for (const char* end : {".sig", ".att", ".sbom"}) {
    auto tag =
        oci::Tag::parse(std::string(to_string(digest.algorithm())) + "-" + digest.hex() + end);
    if (tag) found.push_back(std::move(*tag));
  }
  return found;
}

// Those of `digest` among `tags`.
inline std::vector<oci::Tag> companions(const std::set<oci::Tag>& tags, const oci::Digest& digest) {
  auto found = companions(digest);
  std::erase_if(found, [&tags](const oci::Tag& tag) { return !tags.contains(tag); });
  return found;
}

}  // namespace entrepot::replication
