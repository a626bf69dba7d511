// Bundles that tell of deletions, and bundles that come late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/transfer/carrier_house.hpp"

namespace entrepot::transfer::bundle_removal_test {
namespace {

using State = ApplyReport::State;
using testing::ElementsAre;
using testing::IsEmpty;

class Removals : public testing::Test {
 protected:
  Removals() {
    berlin.trust(paris);
    paris.trust(berlin);
  }

  // With all that was deleted in the Journal of `paris`, as a rule for everything would tell it.
  std::vector<fs::path> create(const std::string& directory, const fs::path& want = {}) {
    BundleOptions options{.directory = bag.path() / directory, .removals = deleted()};
    options.facts = paris.facts.get();
    if (!want.empty()) options.want = want;
    report = paris.create(options);
    std::vector<fs::path> files;
    for (const auto& volume : report.volumes) files.push_back(options.directory / volume);
    return files;
  }
  std::vector<index::Change> deleted() {
    auto rows = paris.read([](const index::View& view) { return index::changes(view, 0, 1000); });
    std::erase_if(rows, [](const index::Change& change) { return change.to.has_value(); });
    return rows;
  }
  static void drop_tag(CarrierHouse& house, std::string_view repository, std::string_view of_tag) {
    EXPECT_TRUE(house.run(
        house.writer.delete_tag(name(repository), tag(of_tag), {}, index::Cause::deletion)));
  }
  static void drop_manifest(CarrierHouse& house, std::string_view repository,
                            const oci::Digest& digest) {
    EXPECT_TRUE(house.run(
        house.writer.delete_manifest(name(repository), digest, {}, index::Cause::deletion)));
  }
  fs::path berlin_wants() {
    berlin.want(bag.path() / "want");
    return bag.path() / "want";
  }

  test::TempDir bag;
  CarrierHouse paris{"paris"};
  CarrierHouse berlin{"berlin"};
  BundleReport report;
};

// Rows: N-11
TEST_F(Removals, what_was_deleted_goes_and_nothing_else) {
  paris.push_image("team/app", {"v1", "v2"}, 1);
  paris.push_image("team/app", {"v3"}, 2);
  berlin.apply(create("first"));
  berlin.push_image("team/app", {"mine"}, 3);
  drop_tag(paris, "team/app", "v2");
  const auto files = create("second", berlin_wants());
  EXPECT_EQ(report.removals, 1U);
  const auto applied = berlin.apply(files);
  EXPECT_EQ(applied.state, State::done);
  EXPECT_THAT(applied.removed, ElementsAre("team/app:v2"));
  EXPECT_FALSE(berlin.tagged("team/app", "v2"));
  for (const auto* stays : {"v1", "v3", "mine"}) EXPECT_TRUE(berlin.pulls("team/app", stays));
  const auto again = berlin.apply(files);
  EXPECT_EQ(again.state, State::held);
  EXPECT_THAT(again.removed, IsEmpty());
  EXPECT_EQ(again.kept, 0U);
  // The receiver has it no more, so nobody tells it again.
  create("third", berlin_wants());
  EXPECT_EQ(report.removals, 0U);
}

TEST_F(Removals, a_bundle_of_nothing_but_deletions) {
  paris.push_image("team/app", {"v1"}, 1);
  berlin.apply(create("first"));
  drop_tag(paris, "team/app", "v1");
  const auto applied = berlin.apply(create("second"));
  EXPECT_EQ(applied.state, State::done);
  EXPECT_THAT(applied.removed, ElementsAre("team/app:v1"));
  EXPECT_FALSE(berlin.tagged("team/app", "v1"));
}

// Rows: N-11
TEST_F(Removals, a_later_change_of_the_receiver_stays_and_is_told) {
  paris.push_image("team/app", {"v1"}, 1);
  berlin.apply(create("first"));
  drop_tag(paris, "team/app", "v1");
  const auto want = berlin_wants();
  const auto mine = berlin.push_image("team/app", {"v1"}, 9);
  const auto applied = berlin.apply(create("second", want));
  EXPECT_THAT(applied.removed, IsEmpty());
  EXPECT_EQ(applied.kept, 1U);
  EXPECT_TRUE(berlin.told("team/app:v1 stays"));
  EXPECT_EQ(berlin.tagged("team/app", "v1"), digest_of(mine));
}

TEST_F(Removals, an_older_change_of_the_receiver_goes) {
  paris.push_image("team/app", {"v1"}, 1);
  berlin.push_image("team/app", {"v1"}, 9);
  drop_tag(paris, "team/app", "v1");
  EXPECT_THAT(berlin.apply(create("first", berlin_wants())).removed, ElementsAre("team/app:v1"));
}

TEST_F(Removals, a_house_that_may_not_delete) {
  paris.push_image("team/app", {"v1"}, 1);
  berlin.apply(create("first"));
  drop_tag(paris, "team/app", "v1");
  registry::PolicyOptions options;
  options.immutable.push_back({{"team/**"}, {"v*"}});
  berlin.policy.replace(std::make_shared<const registry::Policy>(std::move(options)));
  const auto applied = berlin.apply(create("second"));
  EXPECT_EQ(applied.refused, 1U);
  EXPECT_TRUE(berlin.told("team/app:v1"));
  EXPECT_TRUE(berlin.tagged("team/app", "v1"));
}

// Bundles that come in another order than they were made in.
// Rows: N-11
TEST_F(Removals, an_old_bundle_moves_no_tag_back_and_brings_none) {
  paris.push_image("team/app", {"moved", "gone"}, 1);
  const auto old = create("old");
  const auto moved = paris.push_image("team/app", {"moved"}, 2);
  drop_tag(paris, "team/app", "gone");
  const auto fresh = create("fresh");
  for (int round = 0; round < 2; ++round) {
    berlin.apply(fresh);
    EXPECT_EQ(berlin.apply(old).tags, 0U);
    EXPECT_EQ(berlin.tagged("team/app", "moved"), digest_of(moved));
    EXPECT_FALSE(berlin.tagged("team/app", "gone"));
  }
}

// A signature that nobody tagged: taken back at the sender, it goes here, and stays away when the
// bundle that brought it comes once more.
TEST_F(Removals, manifests_without_a_tag) {
  const auto image = paris.push_image("team/app", {"v1"}, 1);
  const auto signature = paris.push_image(
      "team/app", {}, 2, 1000,
      R"(,"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":)" +
          std::to_string(image.size()) + R"(,"digest":")" + digest_of(image).text() + R"("})");
  const auto digest = digest_of(signature);
  const auto old = create("old");
  berlin.apply(old);
  ASSERT_TRUE(berlin.pulls("team/app", digest.text()));
  drop_manifest(paris, "team/app", digest);
  const auto applied = berlin.apply(create("fresh", berlin_wants()));
  EXPECT_THAT(applied.removed, ElementsAre("team/app@" + digest.text()));
  EXPECT_FALSE(berlin.pulls("team/app", digest.text()));
  EXPECT_EQ(berlin.apply(old).state, State::held);
  EXPECT_FALSE(berlin.pulls("team/app", digest.text()));
  EXPECT_TRUE(berlin.pulls("team/app", "v1"));
}

TEST_F(Removals, a_manifest_a_tag_points_to_stays) {
  const auto image = paris.push_image("team/app", {"v1"}, 1);
  berlin.apply(create("first"));
  berlin.push_manifest("team/app", image, {"mine"});
  drop_manifest(paris, "team/app", digest_of(image));
  berlin.apply(create("second"));
  EXPECT_FALSE(berlin.tagged("team/app", "v1"));
  EXPECT_TRUE(berlin.pulls("team/app", "mine"));
}

TEST_F(Removals, names_others_answer_for_are_not_touched) {
  paris.push_image("hub/app", {"v1"}, 1);
  drop_tag(paris, "hub/app", "v1");
  paris.push_image("team/app", {"v1"}, 2);
  const auto files = create("first");
  const auto reports =
      berlin.apply_all({.paths = files, .accepts = [](const oci::RepositoryName& repository) {
                          return repository.text() != "hub/app";
                        }});
  EXPECT_EQ(reports.at(0).refused, 1U);
  EXPECT_TRUE(berlin.told("mirrored"));
}

}  // namespace
}  // namespace entrepot::transfer::bundle_removal_test
