#include "transfer/foreign_text.hpp"

#include <gtest/gtest.h>

#include "entrepot/oci/media_type.hpp"
#include "support/words.hpp"

namespace entrepot::transfer::foreign_text_test {
namespace {

const std::string digest = test::digest_of("x").text();

TEST(Link, IsADigestAndPerhapsALineBreak) {
  EXPECT_EQ(parse_link(digest)->text(), digest);
  EXPECT_EQ(parse_link(digest + "\n")->text(), digest);
  for (const auto& text : {std::string(), std::string("\n"), digest + " ", digest + "\nx",
                           digest.substr(1), std::string("sha256:../../etc/passwd")}) {
    EXPECT_FALSE(parse_link(text)) << text;
  }
}

TEST(LayoutMarker, NamesItsVersion) {
  EXPECT_TRUE(is_layout_marker(R"({"imageLayoutVersion":"1.0.0"})"));
  for (const auto* const text :
       {"", "{}", "[]", R"({"imageLayoutVersion":"2.0.0"})", R"({"imageLayoutVersion":1})"}) {
    EXPECT_FALSE(is_layout_marker(text)) << text;
  }
}

TEST(LayoutIndex, GivesDigestsAndNames) {
  const auto entries = parse_layout_index(
      R"({"manifests":[{"digest":")" + digest +
      R"(","annotations":{"org.opencontainers.image.ref.name":"v1"}},{"digest":")" + digest +
      R"("},{"digest":"sha256:short"},7,{"digest":")" + digest +
      R"(","annotations":{"org.opencontainers.image.ref.name":7}}]})");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ(entries->at(0).name, "v1");
  EXPECT_EQ(entries->at(1).name, "");
  EXPECT_EQ(entries->at(2).name, "");
  EXPECT_TRUE(parse_layout_index("{}")->empty());
  EXPECT_FALSE(parse_layout_index("7"));
  EXPECT_FALSE(parse_layout_index(R"({"manifests":{}})"));
  EXPECT_FALSE(parse_layout_index(std::string(100'000, '[')));
}

TEST(MediaType, IsTheOneTheBytesCanHave) {
  struct Row {
    std::string_view bytes;
    std::string_view type;
  };
  const Row rows[] = {
      {R"({"mediaType":"application/vnd.oci.image.index.v1+json; a=b"})",
       oci::media_type::oci_index},
      {R"({"manifests":[]})", oci::media_type::oci_index},
      {R"({"config":{},"layers":[]})", oci::media_type::oci_manifest},
      {R"({"fsLayers":[]})", oci::media_type::docker_schema1},
      {R"({"fsLayers":[],"signatures":[]})", oci::media_type::docker_schema1_signed},
      {R"({})", ""},
      {R"([])", ""},
      {"\x7f"
       "ELF",
       ""},
  };
  for (const auto& row : rows) EXPECT_EQ(media_type_of(row.bytes), row.type) << row.bytes;
}

TEST(Shown, IsPrintableAndNotLong) {
  EXPECT_EQ(shown("a\n\x1b[31mb\xff"), "a??[31mb?");
  EXPECT_EQ(shown(std::string(500, 'x')).size(), 203U);
}

}  // namespace
}  // namespace entrepot::transfer::foreign_text_test
