// Names, digests and manifests from short words, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/media_type.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::test {

inline oci::RepositoryName name(std::string_view text) {
  return oci::RepositoryName::parse(text).value();
}
inline oci::Tag tag(std::string_view text) { return oci::Tag::parse(text).value(); }
inline oci::Reference reference(std::string_view text) {
  return oci::Reference::parse(text).value();
}
inline oci::Reference reference(const oci::Digest& digest) { return oci::Reference(digest); }
inline oci::Digest digest_of(std::string_view content) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(content));
}

// Bytes that differ everywhere and from any other seed's.
inline std::string noise(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (auto& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return text;
}

inline std::string descriptor(std::string_view media_type, const oci::Digest& digest,
                              std::size_t size) {
  return R"({"mediaType":")" + std::string(media_type) + R"(","digest":")" + digest.text() +
         R"(","size":)" + std::to_string(size) + "}";
}

struct Layer {
  oci::Digest digest;
  std::size_t size;
};

// An OCI image manifest of these blobs; the first is the config.
inline std::string image_manifest(const std::vector<Layer>& blobs, std::string_view extra = {}) {
  std::string layers;
  for (std::size_t i = 1; i < blobs.size(); ++i) {
    if (i > 1) layers += ",";
    layers +=
        descriptor("application/vnd.oci.image.layer.v1.tar+gzip", blobs[i].digest, blobs[i].size);
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media_type::oci_manifest) +
         R"(","config":)" +
         descriptor("application/vnd.oci.image.config.v1+json", blobs[0].digest, blobs[0].size) +
         R"(,"layers":[)" + layers + "]" + std::string(extra) + "}";
}

}  // namespace entrepot::test
