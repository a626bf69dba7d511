// Short ways to say names, digests and manifests in tests of the catalog.
#pragma once

#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "support/index_kinds.hpp"

namespace entrepot::index {

inline oci::RepositoryName repo(std::string_view text) {
  return oci::RepositoryName::parse(text).value();
}
inline oci::Tag tag_of(std::string_view text) { return oci::Tag::parse(text).value(); }
inline oci::Digest sha256(std::string_view content) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(content));
}
inline oci::Digest sha512(std::string_view content) {
  return oci::Digest::of(oci::Algorithm::sha512, base::as_bytes(content));
}
inline base::WallTime at(std::int64_t milliseconds) {
  return base::WallTime(base::Milliseconds(milliseconds));
}

inline oci::Edge edge(oci::EdgeKind kind, const oci::Digest& digest, std::uint64_t size = 7) {
  return {kind, {"application/x-" + std::to_string(static_cast<int>(kind)), digest, size}};
}

inline oci::Manifest manifest_of(std::vector<oci::Edge> edges) {
  oci::Manifest manifest;
  manifest.media_type = oci::media_type::oci_manifest;
  manifest.edges = std::move(edges);
  return manifest;
}

template <class T>
std::vector<std::string> texts(const std::vector<T>& values) {
  std::vector<std::string> found;
  for (const auto& value : values) found.push_back(value.text());
  return found;
}

class Catalog : public test::AnyIndex {};

}  // namespace entrepot::index
