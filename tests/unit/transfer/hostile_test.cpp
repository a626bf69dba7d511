// Directories made to harm (reliability.md R-10): nothing outside is read, nothing waits, nothing
// wrong is kept.
#include <gtest/gtest.h>

#include "unit/transfer/foreign_house.hpp"

namespace entrepot::transfer::hostile_test {
namespace {

class HostileTest : public testing::Test {
 protected:
  // Everything but this image is a trap.
  void expect_only_the_good_image() {
    const auto report = house_.adopt();
    EXPECT_EQ(house_.manifest("good", "v1"), good_);
    EXPECT_EQ(report.tags, 1U);
    EXPECT_EQ(report.manifests, 1U);
  }

  ForeignHouse house_;
  test::TempDir outside_;
  Registry2Tree tree_{house_.theirs.path()};
  const std::string good_ = tree_.image("good", "good", {"v1"});
};

// Rows: R-10
TEST_F(HostileTest, SymlinksAreNotFollowed) {
  const auto secret = std::string("a secret of the host");
  write_file(outside_.path() / "secret", secret);
  const auto image = tree_.image("bad", "bad", {"v1"});
  const auto data = tree_.data(digest_of("layer of bad"));
  fs::remove(data);
  fs::create_symlink(outside_.path() / "secret", data);
  // The same bytes, but by way of a link, are not taken either.
  tree_.image("link", "linked", {"v1"});
  const auto linked = tree_.data(digest_of("layer of linked"));
  fs::rename(linked, outside_.path() / "layer");
  fs::create_symlink(outside_.path() / "layer", linked);
  // Folders.
  const Registry2Tree elsewhere{outside_.path()};
  elsewhere.image("other", "other", {"v1"});
  fs::create_directory_symlink(elsewhere.repository("other"), tree_.repository("stolen"));
  fs::create_directory_symlink(tree_.top / "repositories", tree_.repository("good") / "loop");
  const auto tags = tree_.repository("good") / "_manifests/tags";
  fs::create_directory_symlink(tags / "v1", tags / "alias");
  expect_only_the_good_image();
}

// Rows: R-10
TEST_F(HostileTest, WhatIsNoRegularFileIsNotOpened) {
  const auto image = tree_.image("bad", "bad", {"fifo"});
  const auto fifo = [](const fs::path& path) {
    fs::remove_all(path);
    fs::create_directories(path.parent_path());
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  };
  fifo(tree_.data(digest_of("layer of bad")));
  fifo(tree_.tag_link("good", "pipe"));
  fifo(tree_.layer_link("good", digest_of("piped layer")));
  fifo(tree_.revision_link("good", digest_of("piped manifest")));
  fs::create_directories(tree_.tag_link("good", "folder"));
  fs::create_directories(tree_.data(digest_of("a folder")));
  write_file(tree_.layer_link("bad", digest_of("a folder")), digest_of("a folder").text());
  expect_only_the_good_image();
}

// Rows: R-10
TEST_F(HostileTest, FilesThatAreNotWhatTheyAreCalledAreLeft) {
  tree_.image("cut", "cut", {"v1"});
  fs::resize_file(tree_.data(digest_of("layer of cut")), 3);
  tree_.image("other", "swapped", {"v1"});
  write_file(tree_.data(digest_of("layer of swapped")), "layer of SWAPPED");
  tree_.image("huge", "huge", {"v1"});
  fs::resize_file(tree_.data(digest_of("layer of huge")), 1ULL << 40);
  const auto manifest = tree_.image("torn", "torn", {"v1"});
  fs::resize_file(tree_.data(digest_of(manifest)), manifest.size() - 1);
  const auto large = tree_.image("large", "large", {"v1"});
  fs::resize_file(tree_.data(digest_of(large)), 1ULL << 40);
  const auto empty = tree_.image("empty", "empty", {"v1"});
  fs::resize_file(tree_.data(digest_of(empty)), 0);
  expect_only_the_good_image();
  EXPECT_TRUE(house_.told("is not what it is called"));
  EXPECT_TRUE(house_.told("has 3 bytes"));
}

// Rows
TEST_F(HostileTest, NamesAreOnlyNamesWhenTheyAreValid) {
  write_file(tree_.tag_link("good", "bad\n\x1b[31mtag"), digest_of(good_).text());
  write_file(tree_.tag_link("good", std::string(200, 't')), digest_of(good_).text());
  write_file(tree_.tag_link("good", ".hidden"), digest_of(good_).text());
  write_file(tree_.tag_link("good", "garbage"), "sha256:../../../etc/passwd");
  write_file(tree_.tag_link("good", "long"), std::string(100'000, 'x'));
  write_file(tree_.tag_link("good", "dangling"), digest_of("nothing").text());
  tree_.image("UPPER", "upper", {"v1"});
  tree_.image("with space", "space", {"v1"});
  std::string deep = "d";
  for (int i = 0; i < 130; ++i) deep += "/d";
  tree_.image(deep, "deep", {"v1"});
  expect_only_the_good_image();
  for (const auto& sentence : house_.troubles) {
    EXPECT_EQ(sentence.find_first_of("\n\x1b"), sentence.npos) << sentence;
  }
  EXPECT_TRUE(house_.told("too long"));
}

// Rows: R-10
TEST_F(HostileTest, LinksThatNameAnotherDigestGiveNothing) {
  const auto secret = tree_.blob("private", "a private layer");
  const auto lie = digest_of("never there");
  write_file(tree_.layer_link("bad", lie), digest_of(secret).text());
  const auto config = tree_.blob("bad", "a config");
  tree_.manifest("bad", Registry2Tree::image_of(config, secret), {"v1"});
  const auto report = house_.adopt();
  EXPECT_FALSE(house_.has_blob("bad", secret)) << "that others have it is no right to it";
  EXPECT_FALSE(house_.manifest("bad", "v1"));
  EXPECT_EQ(report.tags, 1U);
}

// Rows: R-10
TEST_F(HostileTest, DeepIndexesEnd) {
  auto inner = tree_.image("bad", "leaf");
  for (int depth = 0; depth < 80; ++depth) inner = tree_.manifest("bad", index_of({inner}));
  tree_.manifest("bad", index_of({inner}), {"v1"});
  // Whichever end is taken up first, it ends.
  house_.adopt();
  EXPECT_EQ(house_.manifest("good", "v1"), good_);
}

}  // namespace
}  // namespace entrepot::transfer::hostile_test
