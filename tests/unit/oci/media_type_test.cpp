#include "entrepot/oci/media_type.hpp"

#include <gtest/gtest.h>

namespace entrepot::oci::media_type_test {
namespace {

TEST(ManifestKind, parameters_case_and_blanks_do_not_matter) {
  const std::pair<const char*, ManifestKind> rows[] = {
      {"application/vnd.oci.image.manifest.v1+json", ManifestKind::image},
      {"application/vnd.oci.image.index.v1+json", ManifestKind::index},
      {"application/vnd.oci.artifact.manifest.v1+json", ManifestKind::artifact},
      {"application/vnd.docker.distribution.manifest.v2+json", ManifestKind::image},
      {"application/vnd.docker.distribution.manifest.list.v2+json", ManifestKind::index},
      {"application/vnd.docker.distribution.manifest.v1+json", ManifestKind::schema1},
      {"application/vnd.docker.distribution.manifest.v1+prettyjws", ManifestKind::schema1},
      {"Application/vnd.OCI.image.index.v1+JSON", ManifestKind::index},
      {" application/vnd.oci.image.index.v1+json\t; charset=utf-8", ManifestKind::index},
      {"application/vnd.oci.image.index.v1+json;charset=utf-8", ManifestKind::index},
      {"application/vnd.oci.image.index.v2+json", ManifestKind::unknown},
      {"application/vnd.oci.image.index.v1+json, text/html", ManifestKind::unknown},
      {"application/json", ManifestKind::unknown},
      {"text/html", ManifestKind::unknown},
      {";", ManifestKind::unknown},
      {"", ManifestKind::unknown},
  };
  for (const auto& [type, kind] : rows) EXPECT_EQ(manifest_kind(type), kind) << type;
}

TEST(AcceptAllManifests, names_indexes_before_images) {
  const auto line = accept_all_manifests();
  EXPECT_LT(line.find(media_type::oci_index), line.find(media_type::oci_manifest));
  EXPECT_LT(line.find(media_type::docker_list), line.find(media_type::docker_manifest));
  EXPECT_NE(line.find(media_type::docker_schema1_signed), line.npos);
  EXPECT_NE(line.find(media_type::oci_artifact), line.npos);
}

}  // namespace
}  // namespace entrepot::oci::media_type_test
