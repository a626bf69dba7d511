// What a rule for bundles tells of deletions here.
#include "replication/tombstones.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_house.hpp"

namespace entrepot::replication::tombstones_test {
namespace {

using test::name;
using test::tag;
using testing::ElementsAre;
using testing::IsEmpty;

class Tombstones : public RuleHouse {
 protected:
  static Rule for_bundles() {
    return {.name = "b", .to = in_bundles, .deletions = Deletions::follow};
  }
  oci::Digest push(std::string_view repository, const std::vector<std::string>& tags,
                   unsigned seed) {
    clock_.advance(base::Milliseconds(10));
    return test::digest_of(push_image(repository, tags, seed));
  }
  void drop(std::string_view repository, std::string_view of_tag) {
    clock_.advance(base::Milliseconds(10));
    EXPECT_TRUE(run(writer_.delete_tag(name(repository), tag(of_tag), {})));
  }
  std::vector<std::string> told(const Rule& rule) {
    std::vector<std::string> names;
    for (const auto& change : run(tombstones(errand(rule)))) {
      EXPECT_FALSE(change.to);
      EXPECT_EQ(change.version.site, read(&index::site_id));
      names.push_back(change.repository.text() + " " +
                      (change.tag ? change.tag->text() : change.from.value().text()));
    }
    return names;
  }
};

TEST_F(Tombstones, are_of_what_stayed_deleted) {
  push("app", {"v1", "v2", "v3"}, 1);
  drop("app", "v1");
  drop("app", "v2");
  EXPECT_THAT(told(for_bundles()), ElementsAre("app v1", "app v2"));
  push("app", {"v2"}, 2);
  EXPECT_THAT(told(for_bundles()), ElementsAre("app v1"));
}

// Rows: N-11
TEST_F(Tombstones, are_of_what_the_rule_means_and_no_more) {
  const auto digest = push("team/app", {"v1", "edge"}, 1);
  const auto companion = "sha256-" + digest.hex() + ".sig";
  push("team/app", {companion}, 2);
  push("other/app", {"v1"}, 3);
  for (const auto& one : {std::string("v1"), std::string("edge"), companion}) drop("team/app", one);
  drop("other/app", "v1");
  auto rule = for_bundles();
  rule.repositories = {Glob{"team/*"}};
  rule.tags = {Glob{"v*"}};
  rule.rename = "paris/{name}";
  EXPECT_THAT(told(rule), ElementsAre("paris/app " + companion, "paris/app v1"));
  rule.referrers = false;
  EXPECT_THAT(told(rule), ElementsAre("paris/app v1"));
  rule.without_tags = {Glob{"v1"}};
  EXPECT_THAT(told(rule), IsEmpty());
}

TEST_F(Tombstones, of_manifests_come_after_those_of_tags) {
  const auto digest = push("app", {"v1"}, 1);
  EXPECT_TRUE(run(writer_.delete_manifest(name("app"), digest, {})));
  EXPECT_THAT(told(for_bundles()), ElementsAre("app v1", "app " + digest.text()));
  push("app", {"v1"}, 1);
  EXPECT_THAT(told(for_bundles()), ElementsAre("app " + digest.text()));
}

TEST_F(Tombstones, are_found_in_a_long_journal) {
  push("app", {"gone"}, 1);
  drop("app", "gone");
  const auto digest = push("app", {"other"}, 2);
  run(facts_.write([&](index::Batch& batch) {
    for (int i = 0; i < 1200; ++i) {
      index::set_tag(batch, name("app"), tag("v"), digest, clock_.wall(), index::Cause::push);
      index::remove_tag(batch, name("app"), tag("v"), clock_.wall(), index::Cause::deletion);
    }
  }));
  push("app", {"v"}, 1);
  EXPECT_THAT(told(for_bundles()), ElementsAre("app gone"));
}

TEST(BundleRules, say_what_becomes_of_deletions) {
  Rule rule{.name = "b", .to = in_bundles, .deletions = Deletions::follow};
  check(rule);
  rule.deletions = Deletions::exact;
  EXPECT_THROW(check(rule), std::invalid_argument);
  rule.deletions = Deletions::follow;
  rule.from = "far";
  EXPECT_THROW(check(rule), std::invalid_argument);
  rule.deletions = Deletions::keep;
  check(rule);
}

}  // namespace
}  // namespace entrepot::replication::tombstones_test
