#include <gtest/gtest.h>

#include "rule_house.hpp"

namespace entrepot::replication::removals_test {
namespace {

using registry::FailureKind;
using test::name;

class Removing : public RuleHouse {
 protected:
  // v0 … v5 of "app" were brought; v1 is gone at the source since.
  SharedErrand brought(Rule rule) {
    for (unsigned i = 0; i < 6; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
    auto one = errand(rule);
    EXPECT_EQ(run_rule(one).report.failed, 0);
    far_->drop_tag("app", "v1");
    return one;
  }
  Rule with(Deletions deletions, Rule rule) {
    rule.deletions = deletions;
    return rule;
  }
};

TEST_F(Removing, IsNotDoneUnlessTheRuleSaysSo) {
  const auto one = brought(with(Deletions::keep, from_far()));
  EXPECT_EQ(run_rule(one).report.removed, 0);
  EXPECT_TRUE(tagged("app", "v1"));
}

TEST_F(Removing, FollowsTheSourceForWhatItBrought) {
  const auto one = brought(with(Deletions::follow, from_far()));
  push_image("app", {"mine"}, 90);
  const auto result = run_rule(one);
  EXPECT_EQ(result.report.removed, 1);
  EXPECT_FALSE(tagged("app", "v1"));
  EXPECT_TRUE(tagged("app", "mine"));
  EXPECT_TRUE(tagged("app", "v2"));
  EXPECT_EQ(run_rule(one).report.removed, 0);
}

TEST_F(Removing, LeavesWhatSomebodyChangedHereSince) {
  const auto one = brought(with(Deletions::follow, from_far()));
  push_image("app", {"v1"}, 90);
  EXPECT_EQ(run_rule(one).report.removed, 0);
  EXPECT_TRUE(tagged("app", "v1"));
}

TEST_F(Removing, LeavesWhatSomebodyPushesWhileItRuns) {
  unsigned seed = 90;
  for (const auto deletions : {Deletions::follow, Deletions::exact}) {
    for (const auto& rule : {from_far(), to_other()}) {
      const auto one = brought(with(deletions, rule));
      const auto pushed = test::digest_of(push_image("app", {"mine"}, ++seed));
      // Between the plan and the deed, for the source is asked once more then.
      far_->judge = [&](const std::string& step) -> std::optional<registry::Failure> {
        if (step != "resolve v1") return std::nullopt;
        async::asio::io_context aside;
        test::run_task(aside, facts_.write([&](index::Batch& batch) {
          index::set_tag(batch, name("app"), test::tag("v1"), pushed, clock_.wall(),
                         index::Cause::push, "alice");
        }));
        other_->add_image("app", seed, {"v1"});
        return std::nullopt;
      };
      // "mine" goes, where all must go that is not there.
      const bool mine = deletions == Deletions::exact && rule.to == here;
      EXPECT_EQ(run_rule(one).report.removed, mine ? 1 : 0);
      EXPECT_EQ(rule.to == here ? tagged("app", "v1") : other_->tagged("app", "v1"), pushed);
      far_->judge = {};
    }
  }
}

TEST_F(Removing, FollowsTheSourceElsewhereToo) {
  const auto one = brought(with(Deletions::follow, to_other()));
  other_->add_image("app", 90, {"mine"});
  EXPECT_EQ(run_rule(one).report.removed, 1);
  EXPECT_FALSE(other_->tagged("app", "v1"));
  EXPECT_TRUE(other_->tagged("app", "mine"));
  // What somebody else put in its place stays.
  far_->drop_tag("app", "v2");
  other_->add_image("app", 91, {"v2"});
  EXPECT_EQ(run_rule(errand(with(Deletions::follow, to_other()))).report.removed, 0);
}

TEST_F(Removing, IsExactWhenItIsToBe) {
  auto rule = with(Deletions::exact, from_far());
  rule.rename = "paris/{repository}";
  rule.without_tags = {Glob{"keep*"}};
  const auto one = brought(rule);
  push_image("paris/app", {"mine"}, 90);
  push_image("paris/app", {"keep-me"}, 91);
  push_image("app", {"elsewhere"}, 93);
  EXPECT_EQ(run_rule(one).report.removed, 2);
  EXPECT_FALSE(tagged("paris/app", "v1"));
  EXPECT_FALSE(tagged("paris/app", "mine"));
  EXPECT_TRUE(tagged("paris/app", "keep-me"));
  EXPECT_TRUE(tagged("app", "elsewhere"));
}

TEST_F(Removing, LeavesWhatIsMirroredHereToItsUpstream) {
  for (const auto* text : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
    mirror_blob("hub/app", text);
    run(facts_.write([&](index::Batch& batch) {
      index::set_tag(batch, name("hub/app"), test::tag(text), test::digest_of(text), clock_.wall(),
                     index::Cause::mirror);
    }));
  }
  auto home = house();
  home.upstreams = {"hub"};
  const auto rule = with(Deletions::exact, from_far());
  Party target{.place = std::make_shared<registry::LocalPlace>(home, "replication:r")};
  const auto one =
      std::make_shared<Errand>(surroundings(), std::make_shared<const CompiledRule>(rule),
                               party(rule, "far"), std::move(target), rests_);
  for (unsigned i = 0; i < 6; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
  run_rule(one);
  far_->drop_tag("app", "v1");
  for (const auto origin : {Origin::trigger, Origin::hand}) {
    const auto result = run_rule(one, origin);
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.report.removed, origin == Origin::trigger ? 1 : 0);
    EXPECT_EQ(result.report.failed, 0);
  }
  EXPECT_TRUE(tagged("hub/app", "1"));
}

TEST_F(Removing, KeepsTheNewestOnlyWhenItIsExact) {
  auto rule = with(Deletions::exact, from_far());
  rule.newest = Newest{2};
  for (unsigned i = 0; i < 4; ++i) {
    far_->add_image("app", i, {"1." + std::to_string(i)});
    run_rule(errand(rule));
  }
  EXPECT_FALSE(tagged("app", "1.0"));
  EXPECT_FALSE(tagged("app", "1.1"));
  EXPECT_TRUE(tagged("app", "1.2"));
  EXPECT_TRUE(tagged("app", "1.3"));
}

TEST_F(Removing, TakesWholeRepositoriesThatAreGone) {
  const auto rule = with(Deletions::follow, from_far());
  far_->add_image("old", 70, {"1"});
  const auto one = brought(rule);
  run_rule(one);
  const auto digest = *far_->tagged("old", "1");
  far_->drop_tag("old", "1");
  far_->drop_manifest("old", digest);
  EXPECT_EQ(run_rule(one).report.removed, 1);
  EXPECT_FALSE(tagged("old", "1"));
}

TEST_F(Removing, AsksEveryRepositoryThatBecomesOneByItsRename) {
  for (const auto deletions : {Deletions::follow, Deletions::exact}) {
    for (auto rule : {from_far(), to_other()}) {
      far_->add_image("a/app", 1, {"a1", "a2"});
      far_->add_image("b/app", 2, {"b1", "b2"});
      rule.rename = "mirror/{name}";
      const auto one = errand(with(deletions, rule));
      const auto has = [&](const std::string& text) {
        return rule.to == here ? tagged("mirror/app", text) : other_->tagged("mirror/app", text);
      };
      EXPECT_EQ(run_rule(one).report.removed, 0);
      EXPECT_EQ(run_rule(one).report.removed, 0);
      EXPECT_TRUE(has("a1") && has("b1"));
      far_->drop_tag("b/app", "b1");
      // One that could not be asked may have it.
      far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
        if (step != "tags a/app") return std::nullopt;
        return failure(FailureKind::timeout);
      };
      EXPECT_EQ(run_rule(one).report.removed, 0);
      far_->judge = {};
      EXPECT_EQ(run_rule(one).report.removed, 1);
      EXPECT_TRUE(has("a1") && !has("b1") && has("b2"));
    }
  }
}

TEST_F(Removing, IsRefusedWhenHalfOfAllVanishesUnlessAPersonLooksOn) {
  const auto one = brought(with(Deletions::follow, from_far()));
  for (const auto* text : {"v2", "v3", "v4"}) far_->drop_tag("app", text);
  const auto result = run_rule(one);
  EXPECT_EQ(result.report.removed, 0);
  EXPECT_THAT(result.error, testing::HasSubstr("4 of 6 tags"));
  EXPECT_THAT(result.error, testing::HasSubstr("by hand"));
  EXPECT_TRUE(tagged("app", "v2"));
  EXPECT_EQ(run_rule(one, Origin::hand).report.removed, 4);
  EXPECT_FALSE(tagged("app", "v2"));
}

TEST_F(Removing, IsNotDoneOnTheWordOfASourceInTrouble) {
  const auto one = brought(with(Deletions::exact, from_far()));
  for (const auto kind : {FailureKind::denied, FailureKind::timeout, FailureKind::broken}) {
    // Its lists fail, or it does not confirm what they said.
    for (const std::string verb : {"tags", "resolve v1"}) {
      far_->judge = [=](const std::string& step) -> std::optional<registry::Failure> {
        if (!step.starts_with(verb)) return std::nullopt;
        return failure(kind);
      };
      EXPECT_EQ(run_rule(one, Origin::hand).report.removed, 0) << verb;
      EXPECT_TRUE(tagged("app", "v1"));
    }
  }
  far_->judge = {};
  EXPECT_EQ(run_rule(one).report.removed, 1);
}

TEST_F(Removing, SaysWhatCannotBeRemoved) {
  const auto one = brought(with(Deletions::follow, to_other()));
  other_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("remove")) return std::nullopt;
    return failure(FailureKind::denied, "deletes nothing");
  };
  const auto result = run_rule(one);
  EXPECT_EQ(result.report.failed, 1);
  EXPECT_EQ(result.error, "removing app:v1: deletes nothing");
}

}  // namespace
}  // namespace entrepot::replication::removals_test
