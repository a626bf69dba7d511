// What fails, what is put off, and what is tried again.
#include <gtest/gtest.h>

#include "rule_house.hpp"

namespace entrepot::replication::trouble_test {
namespace {

using registry::FailureKind;
using test::digest_of;
using test::name;

class Troubles : public RuleHouse {
 protected:
  void fill(unsigned images) {
    for (unsigned i = 0; i < images; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
  }
  // Whatever is done to the manifest of this tag fails.
  void break_tag(const std::string& text, FailureKind kind = FailureKind::denied) {
    const auto digest = far_->tagged("app", text)->text();
    far_->judge = [digest, kind](const std::string& step) -> std::optional<registry::Failure> {
      if (step != "manifest " + digest) return std::nullopt;
      return failure(kind);
    };
  }
};

// Rows: N-10
TEST_F(Troubles, OfOneItemStopNoOther) {
  fill(6);
  break_tag("v2");
  const auto one = errand(from_far());
  const auto result = run_rule(one);
  EXPECT_EQ(result.report.changed, 5);
  EXPECT_EQ(result.report.failed, 1);
  EXPECT_THAT(result.error, testing::StartsWith("app v2: "));
  EXPECT_THAT(result.error, testing::EndsWith("as the test wants"));
  const auto waits = waiting(one);
  ASSERT_EQ(waits.size(), 1);
  EXPECT_EQ(waits.begin()->first.reference, "v2");
  EXPECT_EQ(waits.begin()->second.tries, 1);
  EXPECT_THAT(metrics_.render(), testing::HasSubstr("entrepot_replication_waiting{rule=\"r\"} 1"));
}

// Rows: N-10
TEST_F(Troubles, AreTriedAgainEachAtItsTime) {
  fill(3);
  break_tag("v1");
  const auto one = errand(from_far());
  run_rule(one);
  far_->asked.clear();
  EXPECT_EQ(run_rule(one).report.failed, 0) << "a trigger leaves alone what waits";
  EXPECT_EQ(far_->asked["manifest"], 0);
  EXPECT_EQ(waiting(one).size(), 1);
  clock_.advance(std::chrono::seconds(31));
  EXPECT_EQ(retry(one).report.failed, 1);
  EXPECT_EQ(waiting(one).begin()->second.tries, 2);
  const auto pause = waiting(one).begin()->second.next_try - clock_.wall();
  EXPECT_GE(pause, std::chrono::seconds(30));
  EXPECT_LE(pause, std::chrono::seconds(60));
  far_->judge = {};
  clock_.advance(std::chrono::seconds(61));
  EXPECT_EQ(retry(one).report.changed, 1);
  EXPECT_TRUE(waiting(one).empty());
  EXPECT_TRUE(tagged("app", "v1"));
}

// Rows: N-10
TEST_F(Troubles, OfWhatARunOverEverythingCannotSeeAreNotForgotten) {
  fill(1);
  far_->add_image("other", 7, {"v7"});
  const auto one = errand(from_far());
  const ItemName loose{name("app"), digest_of("a signature").text()};
  const ItemName unlisted{name("other"), "v7"};
  run(one->waiting.failed(loose, "500", clock_.wall(), Blame::item));
  run(one->waiting.failed(unlisted, "500", clock_.wall(), Blame::item));
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (step != "tags other") return std::nullopt;
    return failure(FailureKind::broken);
  };
  run_rule(one, Origin::hand);
  EXPECT_TRUE(waiting(one).contains(loose));
  EXPECT_TRUE(waiting(one).contains(unlisted));
  far_->judge = {};
  run_rule(one, Origin::hand);
  EXPECT_TRUE(waiting(one).contains(loose));
  EXPECT_FALSE(waiting(one).contains(unlisted));
  clock_.advance(std::chrono::hours(2));
  retry(one);
  EXPECT_TRUE(waiting(one).empty()) << "the source has it no more";
}

// Rows: N-10
TEST_F(Troubles, SurviveARestart) {
  fill(2);
  break_tag("v1");
  const auto before = errand(from_far());
  run_rule(before);
  const auto after = errand(from_far());
  EXPECT_EQ(waiting(after).size(), 1);
  EXPECT_THAT(waiting(after).begin()->second.error, testing::EndsWith("as the test wants"));
  far_->judge = {};
  EXPECT_EQ(run_rule(after, Origin::hand).report.changed, 1) << "a person does not wait";
  EXPECT_TRUE(waiting(errand(from_far())).empty());
}

TEST_F(Troubles, EndWhenTheSourceHasTheItemNoMore) {
  fill(2);
  break_tag("v1");
  const auto one = errand(from_far());
  run_rule(one);
  far_->drop_tag("app", "v1");
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(retry(one).report.failed, 0);
  EXPECT_TRUE(waiting(one).empty());
}

TEST_F(Troubles, OfAListAreOnesOfTheRepository) {
  fill(1);
  far_->add_image("other", 9, {"1"});
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (step != "tags other") return std::nullopt;
    return failure(FailureKind::timeout);
  };
  const auto one = errand(from_far());
  const auto result = run_rule(one);
  EXPECT_EQ(result.report.changed, 1);
  EXPECT_EQ(result.report.failed, 1);
  EXPECT_EQ(waiting(one).begin()->first, (ItemName{name("other"), ""}));
  far_->judge = {};
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(retry(one).report.changed, 1);
  EXPECT_TRUE(waiting(one).empty());
  EXPECT_TRUE(tagged("other", "1"));
}

// Rows: N-10
TEST_F(Troubles, PutOffTheRestWhenTheOtherSideIsSilent) {
  fill(100);
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("manifest")) return std::nullopt;
    return failure(FailureKind::timeout);
  };
  const auto one = errand(from_far());
  const auto result = run_rule(one);
  EXPECT_LE(far_->asked["manifest"], 12);
  EXPECT_LE(result.report.failed, 12);
  EXPECT_EQ(result.report.put_off, 100 - result.report.failed);
  EXPECT_EQ(waiting(one).size(), 100);
  far_->judge = {};
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(retry(one).report.changed, 100);
  EXPECT_TRUE(waiting(one).empty());
}

// Rows: N-10
TEST_F(Troubles, LetAThrottledRegistryRestWithoutCountingFailures) {
  fill(50);
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("manifest")) return std::nullopt;
    auto later = failure(FailureKind::throttled);
    later.retry_after = std::chrono::hours(2);
    return later;
  };
  const auto one = errand(from_far());
  const auto result = run_rule(one);
  EXPECT_LE(far_->asked["manifest"], 4);
  EXPECT_EQ(result.report.failed, 0);
  EXPECT_EQ(result.report.put_off, 50);
  EXPECT_THAT(result.error, testing::HasSubstr("50 items are put off"));
  const auto waits = waiting(one);
  ASSERT_EQ(waits.size(), 50);
  for (const auto& [item, waits_on] : waits) {
    EXPECT_EQ(waits_on.tries, 0);
    EXPECT_GE(waits_on.next_try, clock_.wall() + std::chrono::hours(2));
  }
  // Nobody asks it anything meanwhile, whichever rule it is.
  far_->asked.clear();
  EXPECT_TRUE(refusal(replication::run(errand(to_other()), {})));
  EXPECT_TRUE(far_->asked.empty());
  far_->judge = {};
  clock_.advance(std::chrono::hours(3));
  EXPECT_EQ(retry(one).report.changed, 50);
}

TEST_F(Troubles, LetOnlyTheThrottledSideRest) {
  fill(1);
  const auto throttled = [](std::string verb) {
    return [verb](const std::string& step) -> std::optional<registry::Failure> {
      if (!step.starts_with(verb)) return std::nullopt;
      auto later = failure(FailureKind::throttled);
      later.retry_after = std::chrono::hours(1);
      return later;
    };
  };
  const auto rests = [this](const char* place) { return rests_->until(place) > clock_.wall(); };
  // The source's bytes are asked for by the target.
  for (const auto* verb : {"tags", "resolve", "manifest", "blob", "referrers"}) {
    far_->judge = throttled(verb);
    rests_ = std::make_shared<Rests>();
    run_rule(errand(to_other()));
    EXPECT_TRUE(rests("far")) << verb;
    EXPECT_FALSE(rests("other")) << verb;
    clock_.advance(std::chrono::hours(2));
  }
  far_->judge = {};
  for (const auto* verb : {"resolve", "put_blob", "put_manifest"}) {
    other_->judge = throttled(verb);
    rests_ = std::make_shared<Rests>();
    run_rule(errand(to_other()));
    EXPECT_TRUE(rests("other")) << verb;
    EXPECT_FALSE(rests("far")) << verb;
    clock_.advance(std::chrono::hours(2));
  }
}

TEST_F(Troubles, SitOutAShortRest) {
  fill(3);
  int times = 1;
  far_->judge = [&times](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("resolve") || times == 0) return std::nullopt;
    --times;
    auto later = failure(FailureKind::throttled);
    later.retry_after = std::chrono::seconds(0);
    return later;
  };
  EXPECT_EQ(run_rule(errand(from_far())).report.changed, 3);
}

TEST_F(Troubles, WithNamesAreToldOfTheirItem) {
  far_->add_image("team", 1, {"1"});
  auto rule = from_far();
  rule.rename = "x/{path}";
  const auto result = run_rule(errand(rule));
  EXPECT_EQ(result.report.failed, 1);
  EXPECT_THAT(result.error, testing::HasSubstr("rename"));
}

TEST_F(Troubles, OfAListWithoutAnEndAreSaid) {
  class Endless final : public registry::Place {
   public:
    async::Task<registry::Answer<registry::TagPage>> tags(oci::RepositoryName,
                                                          registry::Page) override {
      co_return registry::TagPage{.tags = {test::tag("again")}, .more = true};
    }
    async::Task<registry::Answer<registry::RepositoryPage>> repositories(registry::Page) override {
      co_return registry::RepositoryPage{.repositories = {name("app")}, .next = "app"};
    }
    async::Task<registry::Answer<registry::Resolved>> resolve(oci::RepositoryName,
                                                              oci::Reference) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<registry::ManifestContent>> manifest(oci::RepositoryName,
                                                                      oci::Reference) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<registry::BlobSize>> stat(oci::RepositoryName,
                                                           oci::Digest) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<registry::BlobContent>> blob(oci::RepositoryName,
                                                              oci::Digest) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<registry::ReferrerPage>> referrers(oci::RepositoryName,
                                                                    oci::Digest, std::string,
                                                                    registry::Page) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<registry::BlobTaken>> put_blob(oci::RepositoryName,
                                                                registry::BlobOffer) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<void>> put_manifest(oci::RepositoryName,
                                                     registry::ManifestOffer) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
    async::Task<registry::Answer<bool>> remove(oci::RepositoryName, oci::Reference) override {
      co_return std::unexpected(failure(FailureKind::broken));
    }
  };
  auto rule = from_far();
  const auto made = [&] {
    Party far{.place = std::make_shared<Endless>()};
    return std::make_shared<Errand>(surroundings(), std::make_shared<const CompiledRule>(rule), far,
                                    party(rule, here), rests_);
  };
  const auto refused = refusal(replication::run(made(), {}));
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->detail, testing::HasSubstr("no end"));
  rule.repositories = {Glob{"app"}};
  EXPECT_THAT(run_rule(made()).error, testing::HasSubstr("no end"));
}

}  // namespace
}  // namespace entrepot::replication::trouble_test
