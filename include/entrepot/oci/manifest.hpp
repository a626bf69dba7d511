// Reads what a manifest refers to; never changes or re-writes its bytes (reliability.md M-15).
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/media_type.hpp"

namespace entrepot::oci {

// OCI image-spec descriptor.md.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
};

enum class EdgeKind : std::uint8_t {
  manifest = 1,  // a child of an index
  config = 2,
  layer = 3,
  foreign = 4,  // a layer with `urls`: its bytes may live elsewhere, never fetched from there
};

struct Edge {
  EdgeKind kind;
  Descriptor target;
};

// The graph around one manifest. Platform and annotations of children stay in the bytes.
struct Manifest {
  ManifestKind kind = ManifestKind::unknown;
  std::string media_type;
  std::vector<Edge> edges;            // in the order they stand; a digest may repeat
  std::optional<Descriptor> subject;  // OCI 1.1
  std::string artifact_type;          // artifactType, else the config's media type; may be empty
  std::map<std::string, std::string> annotations;
};

inline constexpr std::size_t max_manifest_bytes = 4 * 1024 * 1024;

// `media_type` is the Content-Type the bytes came with. It must be the one type these bytes can
// have, so that whoever sends them first decides nothing for others: the `mediaType` member;
// without one the OCI type, or for schema 1 the signed type exactly when there are `signatures`.
// Any other is an error, as are duplicate keys, `layers` beside `manifests` (CVE-2021-41190), a bad
// digest, a negative or fractional size, depth above 32. The error is a sentence for the client or
// the log. CPU time is bounded by max_manifest_bytes.
std::expected<Manifest, std::string> parse_manifest(std::string_view bytes,
                                                    std::string_view media_type);

}  // namespace entrepot::oci
