#include "replication/run.hpp"

#include <gtest/gtest.h>

#include "rule_house.hpp"

namespace entrepot::replication::run_test {
namespace {

using registry::FailureKind;
using test::digest_of;
using test::name;
using test::tag;

class Runs : public RuleHouse {};

TEST_F(Runs, BringWhatTheRuleCoversUnderTheNamesItSays) {
  const auto app = digest_of(far_->add_image("team/app", 1, {"1.0", "latest"}));
  far_->add_image("team/secret", 2, {"1.0"});
  far_->add_image("team/app", 3, {"nightly"});
  auto rule = from_far();
  rule.repositories = {Glob{"team/*"}};
  rule.without_repositories = {Glob{"team/secret"}};
  rule.without_tags = {Glob{"nightly"}};
  rule.rename = "paris/{repository}";
  const auto result = run_rule(errand(rule));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.report.repositories, 1);
  EXPECT_EQ(result.report.tags, 2);
  EXPECT_EQ(result.report.changed, 2);
  EXPECT_EQ(result.report.copied.blobs_moved, 2);
  EXPECT_EQ(tagged("paris/team/app", "1.0"), app);
  EXPECT_EQ(tagged("paris/team/app", "latest"), app);
  EXPECT_EQ(tagged("paris/team/app", "nightly"), std::nullopt);
  EXPECT_EQ(tagged("paris/team/secret", "1.0"), std::nullopt);
  EXPECT_TRUE(pulls("paris/team/app", digest_of(test::noise(300, 1))));
}

TEST_F(Runs, CostAQuestionForEachTagWhenNothingHasChanged) {
  for (unsigned i = 0; i < 20; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
  auto rule = from_far();
  rule.repositories = {Glob{"app"}};
  const auto one = errand(rule);
  EXPECT_EQ(run_rule(one).report.changed, 20);
  far_->asked.clear();
  const auto again = run_rule(one);
  EXPECT_EQ(again.report.changed, 0);
  EXPECT_EQ(again.report.tags, 20);
  EXPECT_EQ(far_->asked, (std::map<std::string, int>{{"tags", 1}, {"resolve", 20}}));
}

TEST_F(Runs, AskAnEntrepotForAThousandTagsAtOnce) {
  const auto feed = std::make_shared<ScriptedFeed>();
  feed_ = feed;
  for (unsigned i = 0; i < 20; ++i) {
    const auto text = "v" + std::to_string(i);
    feed->add("app", text, digest_of(far_->add_image("app", i, {text})), 5000 + i);
  }
  const auto one = errand(from_far());
  EXPECT_EQ(run_rule(one).report.changed, 20);
  far_->asked.clear();
  feed->asked = 0;
  EXPECT_EQ(run_rule(one).report.changed, 0);
  EXPECT_EQ(far_->asked, (std::map<std::string, int>{{"repositories", 1}, {"tags", 1}}));
  EXPECT_EQ(feed->asked, 1);
  // The change is the source's still.
  const auto version = read(
      [](const index::View& view) { return index::tag(view, name("app"), tag("v3"))->version; });
  EXPECT_EQ(version.site, "far");
  feed->broken = true;
  EXPECT_EQ(run_rule(one).error, "") << "asks tag by tag instead";
  EXPECT_EQ(far_->asked["resolve"], 20);
}

TEST_F(Runs, AskTheTargetForEachTagWhenItIsElsewhere) {
  for (unsigned i = 0; i < 5; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
  const auto one = errand(to_other());
  EXPECT_EQ(run_rule(one).report.changed, 5);
  EXPECT_EQ(other_->tagged("app", "v3"), far_->tagged("app", "v3"));
  far_->asked.clear();
  other_->asked.clear();
  EXPECT_EQ(run_rule(one).report.changed, 0);
  EXPECT_EQ(other_->asked, (std::map<std::string, int>{{"resolve", 5}}));
}

TEST_F(Runs, TryATargetThatStumblesOverTheQuestion) {
  far_->add_image("app", 1, {"1"});
  other_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (step != "resolve 1") return std::nullopt;
    return failure(FailureKind::broken, "upstream answered 502");
  };
  EXPECT_EQ(run_rule(errand(to_other())).report.changed, 1);
  EXPECT_EQ(other_->tagged("app", "1"), far_->tagged("app", "1"));
}

TEST_F(Runs, NeedNoCatalogWhenTheRuleNamesItsRepositories) {
  far_->add_image("app", 1, {"1"});
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("repositories")) return std::nullopt;
    return failure(FailureKind::denied, "no catalog for you");
  };
  auto rule = from_far();
  rule.repositories = {Glob{"app"}};
  EXPECT_EQ(run_rule(errand(rule)).report.changed, 1);
  rule.repositories = {Glob{"app*"}};
  const auto refused = refusal(replication::run(errand(rule), {}));
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->detail, testing::HasSubstr("no catalog for you"));
  EXPECT_THAT(refused->detail, testing::HasSubstr("without wildcards"));
}

TEST_F(Runs, TakeSignaturesAlongWithTheNewest) {
  for (unsigned i = 1; i <= 4; ++i) far_->add_image("app", i, {"1." + std::to_string(i)});
  const auto newest = *far_->tagged("app", "1.4");
  const auto oldest = *far_->tagged("app", "1.1");
  const auto signature = [](const oci::Digest& digest) {
    return "sha256-" + digest.hex() + ".sig";
  };
  far_->add_image("app", 14, {signature(newest)});
  far_->add_image("app", 11, {signature(oldest)});
  auto rule = from_far();
  rule.newest = Newest{1};
  EXPECT_EQ(run_rule(errand(rule)).report.changed, 2);
  EXPECT_TRUE(tagged("app", "1.4"));
  EXPECT_TRUE(tagged("app", signature(newest)));
  EXPECT_FALSE(tagged("app", signature(oldest)));
  EXPECT_FALSE(tagged("app", "1.3"));
}

TEST_F(Runs, LookForSignaturesThatCameLater) {
  const auto image = far_->add_image("app", 1, {"1"});
  const auto one = errand(from_far());
  run_rule(one);
  const auto subject =
      R"(,"artifactType":"application/x-signature","subject":)" +
      test::descriptor(oci::media_type::oci_manifest, digest_of(image), image.size());
  const auto signature = digest_of(far_->add_image("app", 2, {}, subject));
  run_rule(one);
  EXPECT_FALSE(linked("app", signature)) << "not each time";
  clock_.advance(std::chrono::hours(1));
  run_rule(one);
  EXPECT_TRUE(linked("app", signature));
}

TEST_F(Runs, DryRunsWeighAndTouchNothing) {
  far_->add_image("app", 1, {"1"});
  far_->add_image("app", 2, {"2"});
  RunOrder order;
  order.trial = Trial::dry;
  std::vector<std::string> told;
  order.listener.item = [&told](const std::string& repository, const std::string& reference,
                                const std::string& outcome) {
    told.push_back(outcome + " " + repository + ":" + reference);
  };
  const auto result = run_rule(errand(from_far()), std::move(order));
  EXPECT_EQ(result.report.changed, 2);
  EXPECT_GT(result.report.copied.bytes, 2 * 5300);
  EXPECT_THAT(told, testing::UnorderedElementsAre("copy app:1", "copy app:2"));
  EXPECT_FALSE(tagged("app", "1"));
}

TEST_F(Runs, WeighTheSameEachTime) {
  far_->add_image("app", 1, {"1"});
  far_->add_image("same", 1, {"1"});
  const auto one = errand(to_other());
  const auto weighed = [&] {
    RunOrder order;
    order.trial = Trial::dry;
    return run_rule(one, std::move(order)).report.copied;
  };
  const auto first = weighed();
  EXPECT_EQ(first.blobs_moved, 2) << "what images have in common counts once";
  const auto second = weighed();
  EXPECT_EQ(second.blobs_moved, 2);
  EXPECT_EQ(second.bytes, first.bytes);
  // Nor does a real one try to mount what was only weighed.
  EXPECT_TRUE(one->seen->of(digest_of(test::noise(300, 1))).empty());
}

TEST_F(Runs, SayHowTheyGoOn) {
  far_->add_image("app", 1, {"1"});
  far_->add_image("app", 2, {"2"});
  RunOrder order;
  std::uint64_t bytes = 0;
  std::vector<std::uint64_t> images;
  order.listener.bytes = [&bytes](std::uint64_t done, std::uint64_t) { bytes = done; };
  order.listener.images = [&images](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, 2);
    images.push_back(done);
  };
  run_rule(errand(from_far()), std::move(order));
  EXPECT_EQ(bytes, 2 * 5300);
  EXPECT_EQ(images, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_THAT(
      metrics_.render(),
      testing::HasSubstr("entrepot_replication_items_total{outcome=\"copied\",rule=\"r\"} 2"));
  EXPECT_THAT(metrics_.render(),
              testing::HasSubstr("entrepot_replication_bytes_total{rule=\"r\"} 10600"));
}

TEST_F(Runs, EndWhenTheyAreCalledOffAndKeepWhatWasMoved) {
  for (unsigned i = 0; i < 10; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
  RunOrder order;
  int images = 0;
  order.listener.images = [&images](std::uint64_t, std::uint64_t) { ++images; };
  order.listener.stop = [&images] { return images >= 2; };
  const auto one = errand(from_far());
  const auto result = run_rule(one, std::move(order));
  EXPECT_TRUE(result.called_off);
  EXPECT_LT(result.report.changed, 10);
  EXPECT_TRUE(waiting(one).empty());
  EXPECT_EQ(run_rule(one).report.changed, 10 - result.report.changed);
  RunOrder closed;
  closed.until = clock_.wall();
  far_->add_image("app", 77, {"late"});
  EXPECT_TRUE(run_rule(one, std::move(closed)).called_off);
  EXPECT_FALSE(tagged("app", "late"));
}

// ---- conflicts --------------------------------------------------------------------------------

// Rows: N-11
TEST_F(Runs, LeaveWhatSomebodyChangedHere) {
  far_->add_image("app", 1, {"1", "2"});
  const auto one = errand(from_far());
  run_rule(one);
  push_image("app", {"1"}, 50);
  const auto ours = tagged("app", "1");
  std::vector<std::string> told;
  RunOrder order;
  order.listener.item = [&told](const std::string&, const std::string& reference,
                                const std::string& outcome) {
    told.push_back(outcome + " " + reference);
  };
  run_rule(one, std::move(order));
  EXPECT_EQ(tagged("app", "1"), ours);
  EXPECT_EQ(told, std::vector<std::string>{"conflict 1"});
  auto forced = from_far();
  forced.conflict = Conflict::source;
  EXPECT_EQ(run_rule(errand(forced)).report.changed, 1);
  EXPECT_EQ(tagged("app", "1"), far_->tagged("app", "1"));
  const auto history = read(
      [](const index::View& view) { return index::tag_history(view, name("app"), tag("1"), 10); });
  EXPECT_EQ(history.front(), *ours) << "the loser is in the tag's history";
}

// ---- tags pulled lately -----------------------------------------------------------------------

TEST_F(Runs, FetchAheadWhatWasPulledLately) {
  const auto put = [this](const std::string& text, const oci::Digest& digest) {
    run(facts_.write([&](index::Batch& batch) {
      index::set_tag(batch, name("far/library/app"), tag(text), digest, clock_.wall(),
                     index::Cause::mirror);
    }));
  };
  put("old", digest_of("x"));
  clock_.advance(std::chrono::hours(100));
  put("moved", digest_of("x"));
  put("same", digest_of(far_->add_image("library/app", 1, {"same"})));
  const auto fresh = digest_of(far_->add_image("library/app", 2, {"moved", "old"}));
  std::vector<std::string> warmed;
  warm_ = [&](oci::RepositoryName at,
              oci::Tag text) -> async::Task<registry::Answer<registry::CopyTally>> {
    warmed.push_back(at.text() + ":" + text.text());
    co_await facts_.write([&](index::Batch& batch) {
      index::set_tag(batch, name("far/library/app"), text, fresh, clock_.wall(),
                     index::Cause::mirror);
    });
    co_return registry::CopyTally{.bytes = 10};
  };
  auto rule = from_far();
  rule.pulled_within = PulledWithin{std::chrono::hours(48)};
  const auto one = errand(rule);
  EXPECT_EQ(run_rule(one).report.copied.bytes, 10);
  EXPECT_EQ(warmed, std::vector<std::string>{"library/app:moved"});
  // What the rule fetched itself does not count as pulled.
  clock_.advance(std::chrono::hours(47));
  far_->add_image("library/app", 3, {"moved"});
  run_rule(one);
  EXPECT_EQ(warmed.size(), 2);
  clock_.advance(std::chrono::hours(2));
  far_->add_image("library/app", 4, {"moved"});
  run_rule(one);
  EXPECT_EQ(warmed.size(), 2);
}

}  // namespace
}  // namespace entrepot::replication::run_test
