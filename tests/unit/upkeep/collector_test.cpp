// What stays and what goes (reliability.md section 2.10).
#include <gtest/gtest.h>

#include "unit/upkeep/upkeep_house.hpp"

namespace entrepot::upkeep::collector_test {
namespace {

class CollectorTest : public testing::Test {
 protected:
  UpkeepHouse house_;
};

TEST_F(CollectorTest, BlobsOfAPushThatNeverEndedGoAfterGrace) {
  const auto listed = house_.image("app", "whole", {"latest"});
  const auto left = house_.blob("app", "left behind");
  house_.collect();
  EXPECT_TRUE(house_.here(left)) << "younger than grace";
  house_.age();
  const auto report = house_.collect();
  EXPECT_FALSE(house_.here(left));
  EXPECT_FALSE(house_.linked("app", left));
  EXPECT_TRUE(house_.here("layer of whole"));
  EXPECT_EQ(report.links, 1U);
  EXPECT_EQ(report.blobs, 1U);
  EXPECT_EQ(report.bytes, left.size());
}

TEST_F(CollectorTest, UntaggedManifestsStayUnlessToldOtherwise) {
  const auto untagged = house_.image("app", "old");
  house_.age();
  house_.collect(UpkeepHouse::options(Untagged::keep));
  EXPECT_TRUE(house_.here(untagged));
  EXPECT_TRUE(house_.here("layer of old"));
  const auto report = house_.collect(UpkeepHouse::options(Untagged::remove));
  EXPECT_FALSE(house_.here(untagged));
  EXPECT_FALSE(house_.here("layer of old"));
  EXPECT_EQ(report.links, 3U);
  EXPECT_EQ(report.manifests, 1U);
  EXPECT_EQ(report.blobs, 2U);
}

TEST_F(CollectorTest, WhatATagPointedToStaysAsLongAsItsHistory) {
  const auto before = house_.image("app", "before", {"latest"});
  house_.image("app", "after", {"latest"});
  house_.age();
  auto options = UpkeepHouse::options();
  options.history = std::chrono::days(30);
  house_.collect(options);
  EXPECT_TRUE(house_.here(before));
  house_.clock.advance(std::chrono::days(31));
  house_.collect(options);
  EXPECT_FALSE(house_.here(before));
  EXPECT_TRUE(house_.here("layer of after"));
}

TEST_F(CollectorTest, BytesThatAnotherRepositoryHoldsStay) {
  house_.image("theirs", "shared", {"latest"});
  const auto mine = house_.blob("mine", "layer of shared");
  house_.age();
  const auto report = house_.collect();
  EXPECT_FALSE(house_.linked("mine", mine));
  EXPECT_TRUE(house_.linked("theirs", mine));
  EXPECT_TRUE(house_.store.find(digest_of(mine)));
  EXPECT_EQ(report.bytes, 0U);
}

TEST_F(CollectorTest, LinksOfMirroredRepositoriesAreLeftAlone) {
  const auto bytes = house_.blob("app", "mirrored");
  house_.write([&](index::Batch& batch) {
    index::link(batch, name("hub/app"), index::RepositoryKind::mirrored, digest_of(bytes),
                house_.clock.wall());
  });
  house_.age();
  house_.collect();
  EXPECT_TRUE(house_.here(bytes));
  EXPECT_TRUE(house_.linked("hub/app", bytes));
}

// The table of distribution's review: what happens to children when the index is or is not tagged.
// Rows: G-04
TEST_F(CollectorTest, KeepsChildrenOfTaggedIndexesAndFreesThoseOfOthers) {
  struct Row {
    const char* what;
    std::vector<std::string> index_tags;
    std::vector<std::string> child_tags;
    bool index_stays;
    bool child_stays;
  };
  const Row rows[] = {
      {"tagged index, untagged child", {"v1"}, {}, true, true},
      {"untagged index, untagged child", {}, {}, false, false},
      {"untagged index, tagged child", {}, {"amd64"}, false, true},
      {"both tagged", {"v1"}, {"amd64"}, true, true},
  };
  for (const auto& row : rows) {
    UpkeepHouse house;
    const auto child = house.image("app", "child", row.child_tags);
    const auto index = house.manifest("app", index_of({child}), row.index_tags);
    house.age();
    house.collect();
    EXPECT_EQ(house.here(index), row.index_stays) << row.what;
    EXPECT_EQ(house.here(child), row.child_stays) << row.what;
    EXPECT_EQ(house.here("layer of child"), row.child_stays) << row.what;
  }
}

// Rows: G-04
TEST_F(CollectorTest, FreesNestedIndexesLevelByLevelInOneRound) {
  auto inner = house_.image("app", "leaf");
  std::vector<std::string> levels{inner};
  for (int depth = 0; depth < 12; ++depth) {
    inner = house_.manifest("app", index_of({inner}));
    levels.push_back(inner);
  }
  house_.manifest("app", levels[4], {"kept"});
  house_.age();
  house_.collect();
  for (std::size_t level = 0; level < levels.size(); ++level) {
    EXPECT_EQ(house_.here(levels[level]), level <= 4) << level;
  }
  EXPECT_TRUE(house_.here("layer of leaf"));
}

// Rows: G-04, G-08
TEST_F(CollectorTest, AMissingChildStopsNothing) {
  const auto child = UpkeepHouse::image_of("config nobody pushed", "layer nobody pushed");
  const auto index = house_.manifest("app", index_of({child}), {"sparse"});
  const auto garbage = house_.image("app", "garbage");
  house_.age();
  const auto report = house_.collect();
  EXPECT_TRUE(house_.here(index));
  EXPECT_FALSE(house_.here(garbage));
  EXPECT_EQ(report.manifests, 1U);
}

// Rows: G-08
TEST_F(CollectorTest, AMissingBlobStopsNothing) {
  const auto image = house_.image("app", "torn", {"latest"});
  house_.write([&](index::Batch& batch) { index::forget_blob(batch, digest_of("layer of torn")); });
  house_.store.remove(digest_of("layer of torn"));
  const auto garbage = house_.blob("app", "garbage");
  house_.age();
  house_.collect();
  EXPECT_TRUE(house_.here(image));
  EXPECT_TRUE(house_.linked("app", "layer of torn")) << "it may be pushed again";
  EXPECT_FALSE(house_.here(garbage));
}

// Rows: G-05
TEST_F(CollectorTest, ReferrersStayWithTheirSubject) {
  const auto subject = house_.image("app", "signed", {"latest"});
  const auto signature = house_.image("app", "signature", {}, subject_member(subject));
  const auto of_signature = house_.image("app", "countersignature", {}, subject_member(signature));
  house_.age();
  house_.collect();
  EXPECT_TRUE(house_.here(signature));
  EXPECT_TRUE(house_.here(of_signature));
  house_.untag("app", "latest");
  house_.age();
  house_.collect();
  EXPECT_FALSE(house_.here(subject));
  EXPECT_FALSE(house_.here(signature));
  EXPECT_FALSE(house_.here(of_signature));
  EXPECT_FALSE(house_.here("layer of countersignature"));
}

// Rows: G-05
TEST_F(CollectorTest, AReferrerWhoseSubjectIsMissingHasItsGrace) {
  const auto absent = UpkeepHouse::image_of("a config", "a layer");
  const auto early = house_.image("app", "early", {}, subject_member(absent));
  const auto tagged = house_.image("app", "cosign", {"sha256-0.sig"}, subject_member(absent));
  house_.collect();
  EXPECT_TRUE(house_.here(early));
  house_.age();
  house_.collect();
  EXPECT_FALSE(house_.here(early));
  EXPECT_TRUE(house_.here(tagged));
}

// Rows: G-06
TEST_F(CollectorTest, AReadErrorEndsTheRoundWithNothingWronglyRemoved) {
  UpkeepHouse counted;
  counted.image("app", "kept", {"latest"});
  counted.age();
  const int before = counted.facts.reads();
  counted.collect();
  const int reads = counted.facts.reads() - before;
  ASSERT_GT(reads, 3);
  for (int nth = 1; nth <= reads; ++nth) {
    UpkeepHouse house;
    const auto kept = house.image("app", "kept", {"latest"});
    const auto garbage = house.blob("app", "garbage");
    house.age();
    house.facts.fail_read(nth);
    EXPECT_THROW(house.collect(), std::system_error) << nth;
    EXPECT_TRUE(house.here(kept)) << nth;
    EXPECT_TRUE(house.linked("app", "layer of kept")) << nth;
    EXPECT_TRUE(house.store.find(digest_of("layer of kept"))) << nth;
    house.collect();
    EXPECT_FALSE(house.here(garbage)) << nth;
  }
}

// Rows: G-06
TEST_F(CollectorTest, AFailedTransactionRemovesNoFile) {
  for (const int nth : {1, 2, 3}) {
    UpkeepHouse house;
    const auto garbage = house.blob("app", "garbage");
    house.age();
    house.facts.fail_write(nth);
    EXPECT_THROW(house.collect(), std::system_error) << nth;
    EXPECT_TRUE(house.store.find(digest_of(garbage))) << nth;
    house.collect();
    EXPECT_FALSE(house.here(garbage)) << nth;
  }
}

// Rows: G-07
TEST_F(CollectorTest, RemovesNothingBeforeLeasesAreArmed) {
  const auto garbage = house_.blob("app", "garbage");
  house_.age();
  registry::LeaseTable fresh(std::chrono::hours(1), house_.clock);
  Collector early({house_.facts, house_.store, house_.admission, fresh, house_.pool, house_.clock,
                   house_.metrics});
  auto report = test::run_on(house_.context,
                             early.round(UpkeepHouse::options(), Trial::real, [](const auto&) {}));
  EXPECT_TRUE(report.too_early);
  EXPECT_TRUE(house_.here(garbage));
  report = test::run_on(house_.context, early.round(UpkeepHouse::options(), Trial::dry_run, {}));
  EXPECT_TRUE(report.too_early);
  EXPECT_EQ(report.blobs, 1U) << "a dry run works any time";
}

// Rows: G-02
TEST_F(CollectorTest, ALeaseHoldsWhatNothingElseHolds) {
  const auto promised = house_.blob("app", "promised");
  house_.age();
  house_.arm();
  test::run_on(house_.context, house_.leases.take(digest_of(promised)));
  for (int second = 0; second < 58; second += 2) {
    house_.clock.advance(std::chrono::seconds(2));
    house_.leases.tick();
  }
  house_.collect();
  EXPECT_TRUE(house_.linked("app", promised)) << "just before its end";
  house_.clock.advance(std::chrono::seconds(2));
  house_.leases.tick();
  house_.clock.advance(std::chrono::seconds(2));
  house_.leases.tick();
  house_.collect();
  EXPECT_FALSE(house_.here(promised)) << "just after";
}

// Rows: G-14
TEST_F(CollectorTest, WhatIsPushedAgainAfterItsRemovalStays) {
  for (int turn = 0; turn < 3; ++turn) {
    const auto image = house_.image("app", "again", {"latest"});
    house_.age();
    house_.collect();
    EXPECT_TRUE(house_.here(image));
    EXPECT_TRUE(house_.here("layer of again"));
    house_.write([&](index::Batch& batch) {
      index::remove_tag(batch, name("app"), tag("latest"), house_.clock.wall(),
                        index::Cause::deletion);
      index::unlink(batch, name("app"), digest_of(image));
    });
    // Again at once: the blobs are still there and as old as they were.
    if (turn == 1) house_.manifest("app", image, {"latest"});
    house_.age();
    house_.collect();
    EXPECT_EQ(house_.here("layer of again"), turn == 1);
    EXPECT_EQ(house_.here(image), turn == 1);
    if (turn == 1) house_.untag("app", "latest");
  }
}

// Rows: G-12
TEST_F(CollectorTest, AReaderReadsOnWhenItsBlobGoes) {
  const auto bytes = house_.blob("app", "being read");
  const auto reader = house_.store.open(digest_of(bytes), bytes.size());
  house_.age();
  house_.collect();
  EXPECT_FALSE(house_.here(bytes));
  const auto chunk = test::run_on(house_.context, reader->read_at(0, bytes.size()));
  EXPECT_EQ(async::length_of(chunk), bytes.size());
  EXPECT_EQ(house_.store.open(digest_of(bytes), bytes.size()), nullptr);
}

// Rows: G-11, K-01
TEST_F(CollectorTest, AClockThatWasSetRemovesNothing) {
  for (const auto jump : {std::chrono::hours(1), std::chrono::hours(24 * 365 * 10)}) {
    UpkeepHouse house;
    const auto young = house.blob("app", "young");
    house.clock.set_wall(jump);
    const auto report = house.collect();
    EXPECT_TRUE(report.clock_jumped);
    EXPECT_TRUE(house.here(young)) << "forward";
    house.clock.set_wall(base::Milliseconds(0));
    house.collect();
    EXPECT_TRUE(house.here(young)) << "and back";
    house.clock.set_wall(-jump);
    house.collect();
    EXPECT_TRUE(house.here(young)) << "backward";
  }
}

// Rows: G-11, K-01
TEST_F(CollectorTest, AfterOneGracePeriodTheNewTimeIsBelieved) {
  const auto garbage = house_.blob("app", "garbage");
  house_.clock.set_wall(std::chrono::hours(48));
  EXPECT_TRUE(house_.collect().clock_jumped);
  house_.clock.advance(UpkeepHouse::grace - std::chrono::seconds(1));
  EXPECT_TRUE(house_.collect().clock_jumped);
  EXPECT_TRUE(house_.here(garbage));
  house_.clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(house_.collect().clock_jumped);
  EXPECT_FALSE(house_.here(garbage));
}

TEST_F(CollectorTest, StopsBetweenSteps) {
  for (int i = 0; i < 10; ++i) house_.blob("app", "garbage " + std::to_string(i));
  house_.age();
  const auto report = test::run_on(
      house_.context,
      house_.collector.round(UpkeepHouse::options(), Trial::real, {}, [] { return true; }));
  EXPECT_EQ(report.links, 0U);
  EXPECT_EQ(house_.collect().links, 10U);
}

TEST_F(CollectorTest, CountsWhatItFreed) {
  house_.blob("app", std::string(1000, 'x'));
  house_.age();
  house_.collect();
  const auto text = house_.metrics.render();
  EXPECT_NE(text.find("entrepot_collected_bytes_total 1000"), text.npos) << text;
  EXPECT_NE(text.find("entrepot_collections_total{outcome=\"done\"} 1"), text.npos);
  EXPECT_NE(text.find("entrepot_collections_running 0"), text.npos);
  EXPECT_NE(text.find("entrepot_store_blobs 0"), text.npos);
}

}  // namespace
}  // namespace entrepot::upkeep::collector_test
