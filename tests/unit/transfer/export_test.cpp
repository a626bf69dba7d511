#include "entrepot/transfer/export.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "entrepot/oci/refusal.hpp"
#include "support/site.hpp"
#include "transfer/foreign_text.hpp"
#include "unit/transfer/foreign_house.hpp"

namespace entrepot::transfer::export_test {
namespace {

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class ExportTest : public testing::Test {
 protected:
  std::string image(const std::string& word, std::vector<std::string> tags,
                    std::string_view extra = {}) {
    const auto config = "config of " + word;
    const auto layer = "layer of " + word;
    for (const auto& bytes : {config, layer}) test::run_on(context_, site_.put_blob("app", bytes));
    const auto manifest = test::image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}}, extra);
    put(manifest, std::move(tags), oci::media_type::oci_manifest);
    return manifest;
  }
  void put(const std::string& bytes, std::vector<std::string> tags, std::string_view type) {
    test::run_on(context_, site_.put_manifest("app", std::move(tags), std::string(type), bytes));
  }
  ExportReport write(std::vector<oci::Reference> references) {
    return test::run_on(context_,
                        export_layout(site_.local, name("app"), std::move(references), out(), pool_,
                                      [this](std::uint64_t done, std::uint64_t total) {
                                        EXPECT_LE(done, total);
                                        done_ = done;
                                      }));
  }
  fs::path out() const { return dir_.path() / "layout"; }
  std::string blob(std::string_view content) const {
    return file_text(out() / "blobs/sha256" / digest_of(content).hex());
  }
  std::vector<LayoutEntry> entries() const {
    return parse_layout_index(file_text(out() / "index.json")).value();
  }

  test::TempDir dir_;
  async::BlockingPool pool_{2};
  boost::asio::io_context context_{1};
  test::Site site_;
  std::uint64_t done_ = 0;
};

TEST_F(ExportTest, WritesTheWholeGraphAndItsReferrers) {
  const auto child = image("child", {});
  const auto list = index_of({child});
  put(list, {"v1"}, oci::media_type::oci_index);
  const auto signature = image("signature", {},
                               R"(,"subject":)" + test::descriptor(oci::media_type::oci_manifest,
                                                                   digest_of(child), child.size()));
  const auto report = write({test::reference("v1")});
  EXPECT_EQ(report.manifests, 3U);
  EXPECT_EQ(report.blobs, 4U);
  EXPECT_EQ(report.held_before, 0U);
  EXPECT_EQ(report.bytes, done_);
  for (const auto& bytes : {child, list, signature}) EXPECT_EQ(blob(bytes), bytes);
  EXPECT_EQ(blob("layer of signature"), "layer of signature");
  EXPECT_TRUE(is_layout_marker(file_text(out() / "oci-layout")));
  ASSERT_EQ(entries().size(), 2U);
  EXPECT_EQ(entries()[0].name, "v1");
  EXPECT_EQ(entries()[0].digest, digest_of(list));
  EXPECT_EQ(entries()[1].name, "");
  EXPECT_EQ(entries()[1].digest, digest_of(signature));
}

TEST_F(ExportTest, AddsToWhatIsThere) {
  const auto one = image("one", {"v1", "latest"});
  write({test::reference("v1"), test::reference("latest"), test::reference(digest_of(one))});
  const auto two = image("two", {"latest"});
  const auto report = write({test::reference("latest"), test::reference("v1")});
  EXPECT_EQ(report.held_before, 2U);
  EXPECT_EQ(report.blobs, 2U);
  std::map<std::string, oci::Digest> found;
  for (const auto& entry : entries()) found.emplace(entry.name, entry.digest);
  EXPECT_EQ(entries().size(), 3U);
  EXPECT_EQ(found.at("v1"), digest_of(one));
  EXPECT_EQ(found.at("latest"), digest_of(two));
  EXPECT_EQ(found.at(""), digest_of(one));
}

TEST_F(ExportTest, MissingContentEndsItBeforeTheIndexIsWritten) {
  EXPECT_THROW(write({test::reference("none")}), oci::Refusal);
  image("torn", {"torn"});
  site_.store.remove(digest_of("layer of torn"));
  EXPECT_THROW(write({test::reference("torn")}), oci::Refusal);
  EXPECT_FALSE(fs::exists(out() / "index.json"));
}

// Rows: R-11
TEST_F(ExportTest, DamagedBytesLeaveNoFile) {
  image("rotten", {"v1"});
  site_.store.put(digest_of("layer of rotten"), "layer of ROTTEN");
  EXPECT_THROW(write({test::reference("v1")}), std::system_error);
  for (const auto& file : fs::directory_iterator(out() / "blobs/sha256")) {
    EXPECT_NE(file.path().filename(), digest_of("layer of rotten").hex());
    EXPECT_EQ(file.path().filename().string().size(), 64U) << file.path();
  }
}

// Rows: R-11
TEST_F(ExportTest, PlantedNamesLeadNowhere) {
  image("one", {"v1"});
  const auto target = dir_.path() / "precious";
  write_file(target, "precious");
  const auto hex = digest_of("layer of one").hex();
  fs::create_directories(out() / "blobs/sha256");
  fs::create_symlink(target, out() / "blobs/sha256" / hex);
  write({test::reference("v1")});
  EXPECT_EQ(file_text(target), "precious");
  EXPECT_EQ(blob("layer of one"), "layer of one");
  EXPECT_FALSE(fs::is_symlink(out() / "blobs/sha256" / hex));
}

TEST_F(ExportTest, AForeignIndexIsNotTouched) {
  image("one", {"v1"});
  write_file(out() / "index.json", "my notes");
  EXPECT_THROW(write({test::reference("v1")}), std::runtime_error);
  EXPECT_EQ(file_text(out() / "index.json"), "my notes");
}

TEST_F(ExportTest, WhatWasExportedIsAdoptedAgainByteForByte) {
  const auto child = image("child", {});
  const auto list = index_of({child});
  put(list, {"v1"}, oci::media_type::oci_index);
  write({test::reference("v1")});
  ForeignHouse house;
  house.adopt({.directory = out(), .repository = "again"});
  EXPECT_TRUE(house.troubles.empty());
  EXPECT_EQ(house.manifest("again", "v1"), list);
  EXPECT_TRUE(house.has_blob("again", "layer of child"));
}

}  // namespace
}  // namespace entrepot::transfer::export_test
