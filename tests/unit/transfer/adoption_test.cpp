#include <gtest/gtest.h>

#include "entrepot/oci/media_type.hpp"
#include "unit/transfer/foreign_house.hpp"

namespace entrepot::transfer::adoption_test {
namespace {

class AdoptionTest : public testing::Test {
 protected:
  ForeignHouse house_;
  Registry2Tree tree_{house_.theirs.path()};
};

TEST_F(AdoptionTest, BringsWhatRegistry2Left) {
  const auto image = tree_.image("team/blobs/tags", "one", {"v1", "latest"});
  const auto other = tree_.image("b", "two", {"v1"});
  const auto list = tree_.manifest("b", index_of({other}), {"list"});
  const auto report = house_.adopt();
  EXPECT_TRUE(house_.troubles.empty()) << house_.troubles.front();
  EXPECT_EQ(house_.manifest("team/blobs/tags", "latest"), image);
  EXPECT_EQ(house_.manifest("b", "list"), list);
  EXPECT_TRUE(house_.has_blob("team/blobs/tags", "layer of one"));
  EXPECT_FALSE(house_.has_blob("b", "layer of one"));
  EXPECT_EQ(report.repositories, 2U);
  EXPECT_EQ(report.tags, 4U);
  EXPECT_EQ(report.manifests, 3U);
  EXPECT_EQ(report.blobs, 4U);
  EXPECT_GT(house_.bytes_total, 0U);
  EXPECT_EQ(house_.bytes_done, house_.bytes_total);
  const auto changes = house_.read([](const index::View& view) {
    return index::tag_changes(view, name("b"), tag("list"), 0, 10);
  });
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes.front().cause, index::Cause::adoption);
  EXPECT_EQ(changes.front().who, "operator");
}

TEST_F(AdoptionTest, LinksFilesOrCopiesThem) {
  tree_.image("linked", "one", {"v1"});
  house_.adopt();
  struct stat info{};
  const auto theirs = tree_.data(digest_of("layer of one"));
  ASSERT_EQ(stat(theirs.c_str(), &info), 0);
  EXPECT_EQ(info.st_nlink, 2U);
  tree_.image("copied", "two", {"v1"});
  house_.adopt({.directory = {}, .files = store::BlobStore::Bring::copy, .repository = {}});
  ASSERT_EQ(stat(tree_.data(digest_of("layer of two")).c_str(), &info), 0);
  EXPECT_EQ(info.st_nlink, 1U);
  EXPECT_TRUE(house_.has_blob("copied", "layer of two"));
}

TEST_F(AdoptionTest, ASecondRunReadsNothingAgain) {
  tree_.image("a", "one", {"v1"});
  house_.adopt();
  // What is held is not opened: it may be anything by now.
  fs::remove(tree_.data(digest_of("layer of one")));
  const auto fresh = tree_.image("a", "two", {"v2"});
  const auto report = house_.adopt();
  EXPECT_EQ(report.blobs, 2U);
  EXPECT_EQ(report.manifests, 1U);
  EXPECT_EQ(report.tags, 1U);
  EXPECT_EQ(report.damaged, 0U);
  EXPECT_EQ(house_.manifest("a", "v2"), fresh);
  EXPECT_TRUE(house_.has_blob("a", "layer of one"));
}

TEST_F(AdoptionTest, AStoppedRunIsResumed) {
  for (int i = 0; i < 5; ++i) {
    tree_.image("a", std::to_string(i), {"v" + std::to_string(i)});
  }
  int asked = 0;
  Adoption::Listener listener{
      .bytes = {}, .trouble = {}, .stop = [&asked] { return ++asked > 12; }};
  const auto half = test::run_on(
      house_.context,
      house_.adoption.run({.directory = house_.theirs.path(), .repository = {}}, {}, listener));
  EXPECT_GT(half.manifests, 0U);
  EXPECT_LT(half.manifests, 5U);
  const auto rest = house_.adopt();
  EXPECT_EQ(half.manifests + rest.manifests, 5U);
  EXPECT_EQ(half.tags + rest.tags, 5U);
}

TEST_F(AdoptionTest, ATagMovedHereSinceStays) {
  tree_.image("a", "one", {"v1"});
  house_.adopt();
  const auto second = tree_.image("a", "two", {"v1"});
  house_.adopt();
  EXPECT_EQ(house_.manifest("a", "v1"), second) << "their tag moved on";
  const auto first = digest_of(Registry2Tree::image_of("config of one", "layer of one"));
  test::run_on(house_.context, house_.facts->write([&](index::Batch& batch) {
    index::set_tag(batch, name("a"), tag("v1"), first, base::system_clock().wall(),
                   index::Cause::push);
  }));
  const auto report = house_.adopt();
  EXPECT_EQ(house_.manifest("a", "v1"), Registry2Tree::image_of("config of one", "layer of one"));
  EXPECT_EQ(report.left_out, 1U);
  EXPECT_TRUE(house_.told("moved here"));
}

TEST_F(AdoptionTest, DeletedRevisionsAndTagsDoNotComeBack) {
  const auto gone = tree_.image("a", "gone", {"kept"});
  const auto untagged = tree_.image("a", "untagged", {"removed"});
  fs::remove(tree_.revision_link("a", digest_of(gone)));
  fs::remove_all(tree_.repository("a") / "_manifests/tags/kept/current");
  fs::remove_all(tree_.repository("a") / "_manifests/tags/removed");
  write_file(tree_.repository("a") / "_uploads/1234/data", "half");
  house_.adopt();
  EXPECT_TRUE(house_.troubles.empty());
  EXPECT_FALSE(house_.manifest("a", digest_of(gone).text()));
  EXPECT_EQ(house_.manifest("a", digest_of(untagged).text()), untagged);
  EXPECT_FALSE(house_.manifest("a", "removed"));
}

TEST_F(AdoptionTest, LeavesOutWhatIsIncompleteThereAndGoesOn) {
  tree_.image("a", "missing layer", {"missing"});
  fs::remove(tree_.data(digest_of("layer of missing layer")));
  tree_.image("a", "unlinked layer", {"unlinked"});
  fs::remove(tree_.layer_link("a", digest_of("layer of unlinked layer")));
  const auto child = Registry2Tree::image_of("no config", "no layer");
  tree_.manifest("a", index_of({child}), {"sparse"});
  const auto manifest = tree_.image("a", "manifest lost", {"lost"});
  fs::remove(tree_.data(digest_of(manifest)));
  const auto well = tree_.image("a", "well", {"well"});
  const auto report = house_.adopt();
  EXPECT_EQ(house_.manifest("a", "well"), well);
  for (const auto* const word : {"missing", "unlinked", "sparse", "lost"}) {
    EXPECT_FALSE(house_.manifest("a", word)) << word;
    EXPECT_TRUE(house_.told(std::string("the tag ") + word)) << word;
  }
  EXPECT_EQ(report.tags, 1U);
  EXPECT_EQ(report.left_out, 9U) << "four tags, their manifests, and a child";
  EXPECT_EQ(report.damaged, 3U) << "two manifests and a layer";
}

TEST_F(AdoptionTest, Schema1IsToldAndLeft) {
  tree_.manifest("a", R"({"schemaVersion":1,"fsLayers":[]})", {"old"});
  const auto report = house_.adopt();
  EXPECT_TRUE(house_.told("schema 1"));
  EXPECT_EQ(report.manifests, 0U);
}

TEST_F(AdoptionTest, NamesOfMirrorsAreNotTaken) {
  tree_.image("hub/library/debian", "one", {"v1"});
  tree_.image("mirrored", "two", {"v1"});
  test::run_on(house_.context, house_.facts->write([&](index::Batch& batch) {
    index::set_tag(batch, name("mirrored"), tag("x"), digest_of("x"), {}, index::Cause::mirror);
  }));
  AdoptionOptions options{.directory = {}, .repository = {}};
  options.accepts = [](const oci::RepositoryName& repository) {
    return repository.first_component() != "hub";
  };
  const auto report = house_.adopt(options);
  EXPECT_EQ(report.repositories, 0U);
  EXPECT_EQ(report.blobs, 0U);
  EXPECT_EQ(house_.troubles.size(), 2U);
}

TEST_F(AdoptionTest, IsNotAskedForADirectoryThatIsNeither) {
  test::TempDir empty;
  EXPECT_THROW(house_.adopt({.directory = empty.path(), .repository = {}}), std::runtime_error);
  EXPECT_THROW(house_.adopt({.directory = empty.path() / "none", .repository = {}}),
               std::system_error);
}

class LayoutAdoptionTest : public testing::Test {
 protected:
  // Draws a layout of an index over an image, the index named.
  static std::string draw(const fs::path& top, const std::string& word, const std::string& tag) {
    const auto config = put(top, "config of " + word);
    const auto layer = put(top, "layer of " + word);
    const auto image = put(top, Registry2Tree::image_of(config, layer));
    const auto list = put(top, index_of({image}));
    write_file(top / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
    write_file(top / "index.json",
               R"({"schemaVersion":2,"manifests":[{"mediaType":")" +
                   std::string(oci::media_type::oci_index) + R"(","size":)" +
                   std::to_string(list.size()) + R"(,"digest":")" + digest_of(list).text() +
                   R"(","annotations":{"org.opencontainers.image.ref.name":")" + tag + R"("}}]})");
    return list;
  }
  static std::string put(const fs::path& top, std::string bytes) {
    write_file(top / "blobs/sha256" / digest_of(bytes).hex(), bytes);
    return bytes;
  }
  ForeignHouse house_;
};

TEST_F(LayoutAdoptionTest, BringsALayoutUnderTheNameItIsGiven) {
  const auto list = draw(house_.theirs.path(), "one", "v1");
  const auto report = house_.adopt({.directory = house_.theirs.path(), .repository = "team/app"});
  EXPECT_TRUE(house_.troubles.empty());
  EXPECT_EQ(house_.manifest("team/app", "v1"), list);
  EXPECT_TRUE(house_.has_blob("team/app", "layer of one"));
  EXPECT_EQ(report.manifests, 2U);
  EXPECT_THROW(house_.adopt(), std::runtime_error) << "a layout has no name of its own";
}

TEST_F(LayoutAdoptionTest, BringsATreeOfLayoutsUnderTheNamesOfTheirFolders) {
  const auto one = draw(house_.theirs.path() / "team/app", "one", "v1");
  const auto two = draw(house_.theirs.path() / "team/app/sub", "two", "v1");
  draw(house_.theirs.path() / "Not A Name", "three", "v1");
  const auto report = house_.adopt();
  EXPECT_EQ(house_.manifest("team/app", "v1"), one);
  EXPECT_EQ(house_.manifest("team/app/sub", "v1"), two);
  EXPECT_EQ(report.repositories, 2U);
  EXPECT_EQ(house_.troubles.size(), 1U);
}

TEST_F(LayoutAdoptionTest, NamesThatAreNoTagsBecomeNone) {
  const auto list = draw(house_.theirs.path(), "one", "docker.io/library/debian:12");
  house_.adopt({.directory = house_.theirs.path(), .repository = "a"});
  EXPECT_TRUE(house_.told("is not a tag"));
  EXPECT_EQ(house_.manifest("a", digest_of(list).text()), list);
}

}  // namespace
}  // namespace entrepot::transfer::adoption_test
