// Files and rows that do not know of each other.
#include <gtest/gtest.h>

#include "unit/upkeep/upkeep_house.hpp"

namespace entrepot::upkeep::reconcile_test {
namespace {

class ReconcileTest : public testing::Test {
 protected:
  void put_file(std::string_view bytes) {
    house_.store.put(digest_of(bytes), bytes, house_.clock.wall());
  }
  UpkeepHouse house_;
};

// Rows: G-10, D-11
TEST_F(ReconcileTest, FilesWithoutARowGoToTrashOnceTheyAreOld) {
  put_file("old");
  house_.age();
  put_file("young");
  house_.store.put(digest_of("from the future"), "from the future",
                   house_.clock.wall() + std::chrono::hours(24 * 365));
  house_.image("app", "known", {"latest"});
  house_.store.now(house_.clock.wall());
  auto report = house_.collect();
  EXPECT_EQ(report.unknown_files, 1U);
  EXPECT_EQ(report.bytes, 0U) << "it lies in trash still";
  EXPECT_TRUE(house_.store.in_trash(digest_of("old")));
  EXPECT_TRUE(house_.store.find(digest_of("young")));
  EXPECT_TRUE(house_.store.find(digest_of("from the future")));
  EXPECT_TRUE(house_.store.find(digest_of("layer of known")));

  house_.clock.advance(std::chrono::hours(25));
  house_.store.now(house_.clock.wall());
  report = house_.collect();
  EXPECT_FALSE(house_.store.in_trash(digest_of("old")));
  EXPECT_EQ(report.trash_bytes, 3U);
}

// Rows: G-10
TEST_F(ReconcileTest, RowsWithoutAFileAreForgottenWhileTheirLinksStay) {
  house_.image("app", "torn", {"latest"});
  house_.store.remove(digest_of("layer of torn"));
  house_.store.put(digest_of("config of torn"), "cut");
  house_.age();
  const auto report = house_.collect();
  EXPECT_EQ(report.lost_rows, 2U);
  EXPECT_TRUE(house_.linked("app", "layer of torn"));
  EXPECT_FALSE(house_.here("layer of torn"));
  EXPECT_FALSE(house_.here("config of torn")) << "a file of another size is not the blob";
  EXPECT_EQ(house_.collect().lost_rows, 0U);
  EXPECT_NE(house_.metrics.render().find("entrepot_store_blobs 0"), std::string::npos);
}

// "Cannot read" is not "not there".
// Rows: G-06
TEST_F(ReconcileTest, ErrorsOfTheDiskEndTheRoundAndForgetNothing) {
  using Call = test::FaultyStore::Call;
  for (const auto call : {Call::find, Call::remove, Call::list, Call::written, Call::trash}) {
    UpkeepHouse house;
    const auto kept = house.image("app", "kept", {"latest"});
    const auto garbage = house.blob("app", "garbage");
    house.store.put(digest_of("unknown"), "unknown", house.clock.wall());
    house.age();
    house.store.fail(call);
    EXPECT_THROW(house.collect(), std::system_error);
    house.store.fail(Call::none);
    EXPECT_TRUE(house.here(kept));
    EXPECT_TRUE(house.here("layer of kept"));
    EXPECT_TRUE(house.here("config of kept"));
    EXPECT_TRUE(house.store.find(digest_of("unknown")));
    // A file whose row went before it could be removed is one nobody knows.
    const auto report = house.collect();
    EXPECT_EQ(report.unknown_files, call == Call::remove ? 2U : 1U);
    EXPECT_FALSE(house.here(garbage));
  }
}

// Rows: G-06, G-10
TEST_F(ReconcileTest, ADiskThatIsNotThereLosesNoBlob) {
  std::vector<std::string> blobs;
  std::vector<test::Layer> layers;
  for (int i = 0; i < 150; ++i) {
    blobs.push_back(house_.blob("app", "blob " + std::to_string(i)));
    layers.push_back({digest_of(blobs.back()), blobs.back().size()});
  }
  house_.manifest("app", test::image_manifest(layers), {"latest"});
  house_.age();
  for (const auto& bytes : blobs) house_.store.remove(digest_of(bytes));
  EXPECT_THROW(house_.collect(), std::runtime_error);
  EXPECT_TRUE(house_.here(blobs.front()));
  EXPECT_TRUE(house_.here(blobs.back()));
  EXPECT_NE(house_.metrics.render().find("entrepot_collections_total{outcome=\"failed\"} 1"),
            std::string::npos);
}

}  // namespace
}  // namespace entrepot::upkeep::reconcile_test
