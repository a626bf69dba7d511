// The media types a registry must tell apart (OCI image-spec media-types.md; Docker's image
// manifest v2 schema 1 and 2).
#pragma once

#include <string>
#include <string_view>

namespace entrepot::oci {

namespace media_type {
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_artifact = "application/vnd.oci.artifact.manifest.v1+json";
inline constexpr std::string_view docker_manifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_schema1 =
    "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view docker_schema1_signed =
    "application/vnd.docker.distribution.manifest.v1+prettyjws";
inline constexpr std::string_view oci_empty = "application/vnd.oci.empty.v1+json";
}  // namespace media_type

enum class ManifestKind {
  image,     // config and layers: OCI manifest, Docker schema 2
  index,     // children: OCI index, Docker list
  artifact,  // blobs and a subject: the OCI artifact manifest of 2022
  schema1,   // fsLayers; passed through untouched, never pushed
  unknown,   // nothing we may call a manifest
};

// In lower case, without parameters and blanks around it (RFC 9110 section 8.3.1).
std::string bare_media_type(std::string_view text);

// Parameters after ';' are ignored, case too.
ManifestKind manifest_kind(std::string_view media_type);

// What we ask an upstream for: every manifest type above in one Accept line, most wanted first.
std::string_view accept_all_manifests();

}  // namespace entrepot::oci
