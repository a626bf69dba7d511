#include "entrepot/oci/manifest.hpp"

#include <gtest/gtest.h>

namespace entrepot::oci::manifest_test {
namespace {

const std::string a = "sha256:" + std::string(64, 'a');
const std::string b = "sha256:" + std::string(64, 'b');
const std::string c = "sha512:" + std::string(128, 'c');

std::string descriptor(const std::string& type, const std::string& digest, const std::string& size,
                       const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":)" + size + more +
         "}";
}

std::string config() { return descriptor("application/vnd.oci.image.config.v1+json", a, "12"); }
std::string layer() { return descriptor("application/vnd.oci.image.layer.v1.tar+gzip", b, "34"); }

std::string image(const std::string& more = "") {
  return R"({"schemaVersion":2,"config":)" + config() + R"(,"layers":[)" + layer() + "]" + more +
         "}";
}

Manifest parsed(std::string_view text, std::string_view type) {
  auto manifest = parse_manifest(text, type);
  EXPECT_TRUE(manifest) << (manifest ? "" : manifest.error()) << "\n" << text;
  return manifest ? *manifest : Manifest{};
}

TEST(ParseManifest, image_has_a_config_and_layers_in_order) {
  const auto text = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
    "config":)" + config() +
                    R"(,"layers":[)" + layer() + "," + descriptor("application/x", c, "0") + "," +
                    layer() + R"(],"annotations":{"k":"v","":"é"}})";
  const auto manifest = parsed(text, "application/vnd.oci.image.manifest.v1+json; charset=utf-8");
  EXPECT_EQ(manifest.kind, ManifestKind::image);
  EXPECT_EQ(manifest.media_type, media_type::oci_manifest);
  ASSERT_EQ(manifest.edges.size(), 4U);
  EXPECT_EQ(manifest.edges[0].kind, EdgeKind::config);
  EXPECT_EQ(manifest.edges[0].target.digest.text(), a);
  EXPECT_EQ(manifest.edges[0].target.size, 12U);
  EXPECT_EQ(manifest.edges[1].kind, EdgeKind::layer);
  EXPECT_EQ(manifest.edges[1].target.media_type, "application/vnd.oci.image.layer.v1.tar+gzip");
  EXPECT_EQ(manifest.edges[2].target.digest.text(), c);
  EXPECT_EQ(manifest.edges[3].target.digest.text(), b);
  EXPECT_EQ(manifest.artifact_type, "application/vnd.oci.image.config.v1+json");
  EXPECT_EQ(manifest.annotations.at("k"), "v");
  EXPECT_EQ(manifest.annotations.at(""), "é");
  EXPECT_FALSE(manifest.subject);
}

TEST(ParseManifest, artifact_type_of_its_own_wins_and_subject_is_read) {
  const auto manifest = parsed(image(R"(,"artifactType":"application/spdx","subject":)" +
                                     descriptor(std::string(media_type::oci_manifest), c, "7")),
                               media_type::oci_manifest);
  EXPECT_EQ(manifest.artifact_type, "application/spdx");
  ASSERT_TRUE(manifest.subject);
  EXPECT_EQ(manifest.subject->digest.text(), c);
  EXPECT_EQ(manifest.subject->size, 7U);
}

TEST(ParseManifest, layer_with_urls_is_foreign) {
  const auto text = R"({"schemaVersion":2,"mediaType":")" +
                    std::string(media_type::docker_manifest) + R"(","config":)" + config() +
                    R"(,"layers":[)" +
                    descriptor("x/y", b, "1", R"(,"urls":["https://example.com/l"])") + "," +
                    descriptor("x/y", b, "1", R"(,"urls":[])") + "]}";
  const auto manifest = parsed(text, media_type::docker_manifest);
  ASSERT_EQ(manifest.edges.size(), 3U);
  EXPECT_EQ(manifest.edges[1].kind, EdgeKind::foreign);
  EXPECT_EQ(manifest.edges[2].kind, EdgeKind::layer);
}

TEST(ParseManifest, index_has_children_whatever_their_type) {
  const auto text = R"("manifests":[)" +
                    descriptor(std::string(media_type::oci_manifest), a, "1",
                               R"(,"platform":{"os":"linux","architecture":"arm64"})") +
                    "," + descriptor(std::string(media_type::oci_index), b, "2") + "]}";
  for (const auto type : {media_type::oci_index, media_type::docker_list}) {
    const auto manifest =
        parsed(R"({"schemaVersion":2,"mediaType":")" + std::string(type) + "\"," + text, type);
    EXPECT_EQ(manifest.kind, ManifestKind::index);
    ASSERT_EQ(manifest.edges.size(), 2U);
    EXPECT_EQ(manifest.edges[0].kind, EdgeKind::manifest);
    EXPECT_EQ(manifest.edges[1].target.media_type, media_type::oci_index);
    EXPECT_EQ(manifest.artifact_type, "");
  }
  EXPECT_TRUE(parsed(R"({"schemaVersion":2,"manifests":[]})", media_type::oci_index).edges.empty());
  EXPECT_TRUE(parsed(R"({"manifests":null})", media_type::oci_index).edges.empty());
}

TEST(ParseManifest, artifact_of_2022_has_blobs) {
  const auto text = R"({"mediaType":"application/vnd.oci.artifact.manifest.v1+json",
    "artifactType":"application/sbom","blobs":[)" +
                    layer() + R"(],"subject":)" + config() + "}";
  const auto manifest = parsed(text, media_type::oci_artifact);
  EXPECT_EQ(manifest.kind, ManifestKind::artifact);
  EXPECT_EQ(manifest.artifact_type, "application/sbom");
  ASSERT_EQ(manifest.edges.size(), 1U);
  EXPECT_EQ(manifest.edges[0].kind, EdgeKind::layer);
  EXPECT_TRUE(manifest.subject);
}

TEST(ParseManifest, schema_1_lists_its_layers_plain_or_signed) {
  const auto plain = R"({"schemaVersion":1,"name":"library/x","tag":"1","architecture":"amd64",
    "fsLayers":[{"blobSum":")" +
                     a + R"("},{"blobSum":")" + a + R"("}],"history":[{"v1Compatibility":"{}"}])";
  for (const auto& [type, end] :
       {std::pair(media_type::docker_schema1, "}"),
        std::pair(media_type::docker_schema1_signed, R"(,"signatures":[{"header":{}}]})")}) {
    const auto manifest = parsed(plain + end, type);
    EXPECT_EQ(manifest.kind, ManifestKind::schema1);
    ASSERT_EQ(manifest.edges.size(), 2U);
    EXPECT_EQ(manifest.edges[1].kind, EdgeKind::layer);
    EXPECT_EQ(manifest.edges[1].target.size, 0U);
    EXPECT_EQ(manifest.edges[1].target.digest.text(), a);
  }
}

struct Refused {
  std::string why;  // part of the sentence
  std::string text;
  std::string_view type = media_type::oci_manifest;
};

std::string sized(const std::string& size) {
  return R"({"config":)" + descriptor("x/y", a, size) + R"(,"layers":[]})";
}

std::string nested(int depth) {
  return image(R"(,"x":)" + std::string(static_cast<std::size_t>(depth), '[') +
               std::string(static_cast<std::size_t>(depth), ']'));
}

void expect_refused(const Refused& row) {
  const auto manifest = parse_manifest(row.text, row.type);
  ASSERT_FALSE(manifest) << row.text.substr(0, 300);
  EXPECT_NE(manifest.error().find(row.why), std::string::npos)
      << manifest.error() << "\nfor " << row.text.substr(0, 300);
}

// Rows: M-01
TEST(ParseManifest, refuses_what_two_readers_could_read_differently) {
  const Refused rows[] = {
      {"twice", image(R"(,"schemaVersion":2)")},
      {"twice",
       image(R"(,"mediaType":"a","mediaType":"application/vnd.oci.image.manifest.v1+json")")},
      {"twice", image(R"(,"x":{"y":[{"z":1,"w":2,"z":1}]})")},
      {"twice", image(R"(,"layers":[])")},
      {"twice", image(R"(,"l\u0061yers":[])")},
      {"mediaType says", image(R"(,"mediaType":"application/vnd.oci.image.index.v1+json")")},
      {"mediaType says",
       image(R"(,"mediaType":"application/vnd.docker.distribution.manifest.v2+json")")},
      {"mediaType is not", image(R"(,"mediaType":7)")},
      {"manifests does not belong", image(R"(,"manifests":[])")},
      {"manifests does not belong", image(R"(,"manifests":null)")},
      {"fsLayers does not belong", image(R"(,"fsLayers":[])")},
      {"layers does not belong", R"({"manifests":[],"layers":[]})", media_type::oci_index},
      {"config does not belong", R"({"manifests":[],"config":{}})", media_type::docker_list},
      {"layers does not belong", R"({"schemaVersion":1,"fsLayers":[],"layers":[]})",
       media_type::docker_schema1},
      {"schemaVersion", R"({"schemaVersion":1,"config":)" + config() + R"(,"layers":[]})"},
      {"schemaVersion", R"({"schemaVersion":2,"fsLayers":[]})", media_type::docker_schema1_signed},
      {"not a manifest's media type", image(), "application/json"},
      {"not a manifest's media type", image(), ""},
  };
  for (const auto& row : rows) expect_refused(row);
}

// Rows: M-01
TEST(ParseManifest, bytes_have_one_type_whatever_is_claimed) {
  constexpr std::string_view every[] = {
      media_type::oci_manifest,         media_type::oci_index,   media_type::oci_artifact,
      media_type::docker_manifest,      media_type::docker_list, media_type::docker_schema1,
      media_type::docker_schema1_signed};
  const auto body = [](std::string_view rest, std::string_view type) {
    const auto named = type.empty() ? "" : R"("mediaType":")" + std::string(type) + "\",";
    return "{" + named + std::string(rest);
  };
  const auto picture = R"("schemaVersion":2,"config":)" + config() + R"(,"layers":[]})";
  const auto list = std::string(R"("schemaVersion":2,"manifests":[]})");
  const auto old = std::string(R"("schemaVersion":1,"fsLayers":[])");
  const std::pair<std::string, std::string_view> rows[] = {
      {body(picture, ""), media_type::oci_manifest},
      {body(picture, media_type::oci_manifest), media_type::oci_manifest},
      {body(picture, media_type::docker_manifest), media_type::docker_manifest},
      {body(list, ""), media_type::oci_index},
      {body(list, media_type::docker_list), media_type::docker_list},
      {body(R"("blobs":[]})", ""), ""},
      {body(R"("blobs":[]})", media_type::oci_artifact), media_type::oci_artifact},
      {body(old + "}", ""), media_type::docker_schema1},
      {body(old + R"(,"signatures":null})", ""), media_type::docker_schema1},
      {body(old + R"(,"signatures":[{}]})", ""), media_type::docker_schema1_signed},
  };
  for (const auto& [text, type] : rows) {
    for (const auto claimed : every) {
      EXPECT_EQ(parse_manifest(text, claimed).has_value(), claimed == type)
          << text << " as " << claimed;
    }
  }
}

// Rows: M-02, M-07
TEST(ParseManifest, refuses_descriptors_that_cannot_be_true) {
  const Refused rows[] = {
      {"size", sized("-1")},
      {"size", sized("1.5")},
      {"size", sized("1.0")},
      {"size", sized("1e3")},
      {"size", sized("9223372036854775808")},
      {"size", sized("18446744073709551616")},
      {"size", sized("\"12\"")},
      {"size", sized("null")},
      {"size", R"({"config":{"mediaType":"x/y","digest":")" + a + R"("},"layers":[]})"},
      {"digest", R"({"config":)" + descriptor("x/y", "sha256:../../x", "1") + R"(,"layers":[]})"},
      {"digest", R"({"config":)" + descriptor("x/y", "md5:" + std::string(32, 'a'), "1") +
                     R"(,"layers":[]})"},
      {"digest", R"({"config":{"mediaType":"x/y","size":1},"layers":[]})"},
      {"digest", R"({"config":{"mediaType":"x/y","size":1,"digest":7},"layers":[]})"},
      {"mediaType is not",
       R"({"config":{"mediaType":7,"size":1,"digest":")" + a + R"("},"layers":[]})"},
      {"blobSum", R"({"fsLayers":[{"blobSum":"x"}]})", media_type::docker_schema1},
      {"urls", R"({"config":)" + config() + R"(,"layers":[)" +
                   descriptor("x/y", b, "1", R"(,"urls":7)") + "]}"},
      {"digest", image(R"(,"subject":{"mediaType":"x/y","size":1,"digest":"x"})")},
      {"subject is not an object", image(R"(,"subject":[])")},
  };
  for (const auto& row : rows) expect_refused(row);
  EXPECT_EQ(parsed(sized("9223372036854775807"), media_type::oci_manifest).edges[0].target.size,
            9223372036854775807U);
}

TEST(ParseManifest, refuses_other_shapes) {
  const Refused rows[] = {
      {"not valid JSON", ""},
      {"not valid JSON", "{"},
      {"not valid JSON", image() + "x"},
      {"not valid JSON", image() + image()},
      {"not valid JSON", "\xef\xbb\xbf" + image()},
      {"not valid JSON", image(",\"x\":\"\xff\"")},
      {"not valid JSON", image(R"(,"x":"\ud800")")},
      {"not valid JSON", image(",\"x\":\"\n\"")},
      {"not valid JSON", image(",")},
      {"not valid JSON", image("/**/")},
      {"not an object", "[]"},
      {"not an object", "null"},
      {"config is missing", R"({"layers":[]})"},
      {"config is missing", R"({"config":null,"layers":[]})"},
      {"config is not an object", R"({"config":"x","layers":[]})"},
      {"layers is missing", R"({"config":)" + config() + "}"},
      {"layers is not an array", R"({"config":)" + config() + R"(,"layers":{}})"},
      {"a layer is not an object", R"({"config":)" + config() + R"(,"layers":[7]})"},
      {"manifests is missing", "{}", media_type::oci_index},
      {"fsLayers is missing", "{}", media_type::docker_schema1},
      {"annotation", image(R"(,"annotations":{"a":1})")},
      {"annotations is not an object", image(R"(,"annotations":[])")},
      {"artifactType", image(R"(,"artifactType":1)")},
  };
  for (const auto& row : rows) expect_refused(row);
}

// Rows: M-05, M-06
TEST(ParseManifest, is_bounded) {
  EXPECT_TRUE(parse_manifest(nested(31), media_type::oci_manifest));
  expect_refused({"not valid JSON", nested(32)});
  expect_refused({"not valid JSON", nested(10'000)});

  const auto padding = max_manifest_bytes - image(R"(,"x":"")").size();
  EXPECT_TRUE(parse_manifest(image(R"(,"x":")" + std::string(padding, 'x') + '"'),
                             media_type::oci_manifest));
  expect_refused({"4 MiB", image(R"(,"x":")" + std::string(padding + 1, 'x') + '"')});

  std::string keys;
  for (int i = 0; i < 300'000; ++i) keys += "\"" + std::to_string(i) + "\":0,";
  expect_refused({"too many values", "{" + keys + "\"x\":0}"});
}

TEST(ParseManifest, a_full_index_is_still_read) {
  std::string children;
  while (children.size() < 3'900'000) {
    if (!children.empty()) children += ',';
    children += descriptor(std::string(media_type::oci_manifest), a, "1234",
                           R"(,"platform":{"architecture":"arm64","os":"linux"})");
  }
  const auto manifest =
      parsed(R"({"schemaVersion":2,"manifests":[)" + children + "]}", media_type::oci_index);
  EXPECT_GT(manifest.edges.size(), 15'000U);
}

}  // namespace
}  // namespace entrepot::oci::manifest_test
