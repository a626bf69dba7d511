#include "entrepot/replication/replicator.hpp"

#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <functional>

#include "entrepot/async/together.hpp"
#include "rule_house.hpp"
#include "time_zone.hpp"

namespace entrepot::replication::replicator_test {
namespace {

using registry::FailureKind;
using test::name;
using test::tag;

class Replicating : public RuleHouse {
 protected:
  std::unique_ptr<Replicator> replicator(std::vector<Rule> rules, const base::Clock& clock) {
    return std::make_unique<Replicator>(
        Replicator::House{facts_, clock, metrics_}, std::move(rules),
        [this](const Rule& rule, const std::string& who) { return party(rule, who); });
  }
  std::unique_ptr<Replicator> replicator(std::vector<Rule> rules) {
    return replicator(std::move(rules), clock_);
  }
  RuleStatus status(Replicator& all) { return run(all.status()).at(0); }
  static Rule every(std::chrono::milliseconds interval) {
    auto rule = from_far();
    rule.when = Every{interval};
    return rule;
  }
  bool comes(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000 && !holds(); ++i) run(async::sleep_for(std::chrono::milliseconds(5)));
    return holds();
  }
  // Whatever is ready is done.
  void settle() {
    for (int i = 0; i < 100; ++i) {
      context_.restart();
      context_.poll();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
};

TEST_F(Replicating, ObeysIntervals) {
  far_->add_image("app", 1, {"1"});
  const auto all = replicator({every(std::chrono::seconds(1))}, base::system_clock());
  all->start(context_.get_executor());
  EXPECT_TRUE(comes([this] { return far_->asked["tags"] >= 2; }));
  run(all->stop());
  EXPECT_TRUE(tagged("app", "1"));
  EXPECT_EQ(status(*all).state, "idle");
  EXPECT_EQ(status(*all).total.blobs_moved, 2);
  EXPECT_THAT(metrics_.render(),
              testing::HasSubstr("entrepot_replication_last_success_timestamp{rule=\"r\"}"));
}

TEST_F(Replicating, RemembersOverRestartsWhenItRan) {
  const auto rule = every(std::chrono::minutes(10));
  const auto first = replicator({rule});
  first->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return far_->asked["repositories"] == 1; }));
  settle();
  run(first->stop());
  const auto second = replicator({rule});
  second->start(context_.get_executor());
  settle();
  EXPECT_EQ(far_->asked["repositories"], 1);
  EXPECT_EQ(status(*second).last_started, clock_.wall());
  run(second->stop());
  clock_.advance(std::chrono::minutes(11));
  const auto third = replicator({rule});
  third->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return far_->asked["repositories"] == 2; }));
  run(third->stop());
}

TEST_F(Replicating, GoesOnAfterARestartWithWhatWasBrokenOff) {
  const auto rule = every(std::chrono::hours(10));
  const auto runs = [this] { return far_->asked["repositories"]; };
  // As kill -9 leaves it.
  run(Board(facts_, "r").started(clock_.wall()));
  clock_.advance(std::chrono::minutes(1));
  const auto killed = replicator({rule});
  killed->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return runs() == 1; }));
  settle();
  run(killed->stop());
  // What came to its end is not done again.
  const auto whole = replicator({rule});
  whole->start(context_.get_executor());
  settle();
  run(whole->stop());
  EXPECT_EQ(runs(), 1);
}

TEST_F(Replicating, KeepsTheStartOfARunThatItsWindowEnds) {
  far_->add_image("app", 1, {"1"});
  const test::TimeZone zone("UTC0");  // 2001-09-09 01:46, a Sunday
  auto rule = every(std::chrono::hours(30));
  rule.windows = {parse_window("01:00-02:00")};
  far_->judge = [this](const std::string& step) -> std::optional<registry::Failure> {
    if (step.starts_with("tags")) clock_.advance(std::chrono::minutes(20));
    return std::nullopt;
  };
  const auto before = replicator({rule});
  before->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return far_->asked["tags"] == 1; }));
  settle();
  run(before->stop());
  EXPECT_FALSE(tagged("app", "1"));
  far_->judge = {};
  clock_.advance(std::chrono::hours(23));
  const auto after = replicator({rule});
  after->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return tagged("app", "1").has_value(); }));
  run(after->stop());
}

TEST_F(Replicating, LeavesRulesAloneThatStayAsTheyAre) {
  run(facts_.write([&](index::Batch& batch) {
    index::set_tag(batch, name("far/app"), tag("1"), test::digest_of("x"), clock_.wall(),
                   index::Cause::mirror);
  }));
  far_->add_image("app", 1, {"1"});
  async::Broadcast never;
  int begun = 0;
  warm_ = [&](oci::RepositoryName, oci::Tag) -> async::Task<registry::Answer<registry::CopyTally>> {
    ++begun;
    co_await never.wait(never.ticket());
    co_return registry::CopyTally{};
  };
  auto stays = every(std::chrono::minutes(10));
  stays.pulled_within = PulledWithin{std::chrono::hours(1)};
  auto changes = from_far();
  changes.name = "s";
  const auto all = replicator({stays, changes});
  all->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return begun == 1; }));
  changes.deletions = Deletions::follow;
  all->replace({changes, stays});
  settle();
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(run(all->status()).size(), 2);
  EXPECT_EQ(status(*all).state, "running");
  EXPECT_THROW(all->replace({stays, stays}), std::invalid_argument);
  auto other = stays;
  other.deletions = Deletions::follow;
  EXPECT_THROW(all->replace({stays, other}), std::invalid_argument);
  EXPECT_EQ(status(*all).state, "running");
  all->replace({changes});
  settle();
  EXPECT_EQ(run(all->status()).size(), 1);
  run(all->stop());
}

TEST_F(Replicating, WaitsForItsWindow) {
  const test::TimeZone zone("UTC0");  // 2001-09-09 01:46, a Sunday
  auto rule = every(std::chrono::minutes(10));
  rule.windows = {parse_window("02:00-03:00")};
  const auto closed = replicator({rule});
  closed->start(context_.get_executor());
  settle();
  EXPECT_EQ(status(*closed).state, "waiting for its window");
  EXPECT_TRUE(far_->asked.empty());
  EXPECT_EQ(run(closed->run("r", Trial::real, {})).repositories, 0) << "a person does not wait";
  run(closed->stop());
  clock_.advance(std::chrono::minutes(20));
  far_->asked.clear();
  const auto open = replicator({rule});
  open->start(context_.get_executor());
  EXPECT_TRUE(comes([this] { return far_->asked["repositories"] == 1; }));
  run(open->stop());
}

// Rows: N-10
TEST_F(Replicating, TriesAtOnceWhatWaitedForWhoIsBack) {
  for (unsigned i = 0; i < 20; ++i) far_->add_image("app", i, {"v" + std::to_string(i)});
  far_->add_image("other", 99, {"1"});
  const auto refused = far_->tagged("app", "v3")->text();
  bool away = true;
  far_->judge = [&](const std::string& step) -> std::optional<registry::Failure> {
    if (step == "manifest " + refused) return failure(FailureKind::denied);
    if (away && step.starts_with("manifest")) return failure(FailureKind::timeout);
    return std::nullopt;
  };
  auto app = from_far();
  app.repositories = {Glob{"app"}};
  auto other = from_far();
  other.name = "s";
  other.repositories = {Glob{"other"}};
  const auto all = replicator({app, other});
  all->start(context_.get_executor());
  run(all->run("r", Trial::real, {}));
  EXPECT_EQ(status(*all).waiting, 20);
  away = false;
  settle();
  EXPECT_FALSE(tagged("app", "v1")) << "nobody has heard of it yet";
  run(all->run("s", Trial::real, {}));
  EXPECT_TRUE(comes([&] { return status(*all).waiting == 1; }));
  EXPECT_EQ(run(all->waiting("r")).at(0).reference, "v3") << "its own fault";
  run(all->stop());
}

// Rows: N-10
TEST_F(Replicating, WorksOffWhatWaitsAfterARestart) {
  far_->add_image("app", 1, {"1"});
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("manifest")) return std::nullopt;
    return failure(FailureKind::denied);
  };
  const auto before = replicator({from_far()});
  EXPECT_EQ(run(before->run("r", Trial::real, {})).failed, 1);
  const auto waits = run(before->waiting("r"));
  ASSERT_EQ(waits.size(), 1);
  EXPECT_EQ(waits[0].repository, "app");
  EXPECT_EQ(waits[0].reference, "1");
  EXPECT_EQ(status(*before).waiting, 1);
  far_->judge = {};
  clock_.advance(std::chrono::minutes(1));
  const auto after = replicator({from_far()});
  after->start(context_.get_executor());
  EXPECT_TRUE(comes([this] { return tagged("app", "1").has_value(); }));
  settle();
  EXPECT_TRUE(run(after->waiting("r")).empty());
  run(after->stop());
}

TEST_F(Replicating, TellsWhoRunsARuleWhatIsPutOff) {
  far_->add_image("app", 1, {"1", "2"});
  far_->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("manifest")) return std::nullopt;
    auto later = failure(FailureKind::throttled);
    later.retry_after = std::chrono::hours(1);
    return later;
  };
  const auto all = replicator({from_far()});
  RunListener listener;
  std::vector<std::string> told;
  listener.item = [&](const std::string&, const std::string& reference, const std::string& word) {
    told.push_back(word + " " + reference);
  };
  const auto report = run(all->run("r", Trial::real, std::move(listener)));
  EXPECT_EQ(report.put_off, 2);
  EXPECT_THAT(report.error, testing::HasSubstr("2 items are put off"));
  EXPECT_THAT(told, testing::UnorderedElementsAre("postponed 1", "postponed 2"));
  RunListener stopping;
  stopping.stop = [] { return true; };
  EXPECT_EQ(run(all->run("r", Trial::real, std::move(stopping))).error, "called off");
}

TEST_F(Replicating, SaysWhenARuleFailsAsAWhole) {
  far_->judge = [](const std::string&) { return failure(FailureKind::denied, "go away"); };
  const auto all = replicator({every(std::chrono::minutes(10))});
  all->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return !far_->asked.empty(); }));
  settle();
  EXPECT_EQ(status(*all).state, "failed");
  EXPECT_THAT(status(*all).last_error, testing::HasSubstr("go away"));
  EXPECT_TRUE(refusal(all->run("r", Trial::real, {})));
  run(all->stop());
}

TEST_F(Replicating, EndsPromptlyInTheMiddleOfARun) {
  run(facts_.write([&](index::Batch& batch) {
    index::set_tag(batch, name("far/app"), tag("1"), test::digest_of("x"), clock_.wall(),
                   index::Cause::mirror);
  }));
  far_->add_image("app", 1, {"1"});
  async::Broadcast never;
  int begun = 0;
  int cancelled = 0;
  warm_ = [&](oci::RepositoryName, oci::Tag) -> async::Task<registry::Answer<registry::CopyTally>> {
    ++begun;
    try {
      co_await never.wait(never.ticket());
    } catch (const boost::system::system_error&) {
      ++cancelled;
      throw;
    }
    co_return registry::CopyTally{};
  };
  auto rule = every(std::chrono::minutes(10));
  rule.pulled_within = PulledWithin{std::chrono::hours(1)};
  const auto all = replicator({rule});
  all->start(context_.get_executor());
  EXPECT_TRUE(comes([&] { return begun == 1; }));
  EXPECT_EQ(status(*all).state, "running");
  run(all->stop());
  EXPECT_EQ(cancelled, 1);
}

TEST_F(Replicating, TakesOtherRulesWhileItRuns) {
  far_->add_image("app", 1, {"1"});
  const auto all = replicator({every(std::chrono::minutes(10))});
  all->start(context_.get_executor());
  EXPECT_TRUE(comes([this] { return tagged("app", "1").has_value(); }));
  auto next = every(std::chrono::minutes(10));
  next.name = "next";
  next.rename = "paris/{repository}";
  EXPECT_THROW(all->replace({Rule{.name = ""}}), std::invalid_argument);
  EXPECT_EQ(status(*all).rule, "r");
  EXPECT_THROW(all->replace({next, next}), std::invalid_argument);
  all->replace({next});
  EXPECT_TRUE(comes([this] { return tagged("paris/app", "1").has_value(); }));
  EXPECT_EQ(run(all->status()).size(), 1);
  EXPECT_THROW(run(all->run("r", Trial::real, {})), std::invalid_argument);
  all->replace({next});
  run(all->stop());
}

TEST_F(Replicating, TellsWhatARuleCovers) {
  const auto digest = test::digest_of(far_->add_image("app", 1, {"1"}));
  far_->add_image("other", 2, {"1"});
  auto rule = from_far();
  rule.repositories = {Glob{"a*"}};
  const auto all = replicator({rule});
  const auto covered = run(all->covered("r"));
  ASSERT_EQ(covered.images.size(), 1);
  EXPECT_EQ(covered.images[0].repository, name("app"));
  EXPECT_EQ(covered.images[0].tag, tag("1"));
  EXPECT_EQ(covered.images[0].digest, digest);
  EXPECT_TRUE(covered.referrers);
  rule.platforms = {"linux/amd64"};
  rule.referrers = false;
  const auto less = run(replicator({rule})->covered("r"));
  EXPECT_EQ(less.platforms, rule.platforms);
  EXPECT_FALSE(less.referrers);
}

TEST_F(Replicating, LeavesNothingOutOfABundleInSilence) {
  far_->add_image("app", 1, {"1"});
  far_->add_image("base", 2, {"1"});
  const auto all = replicator({from_far()});
  for (const std::string gone : {"resolve 1", "tags base"}) {
    far_->judge = [&](const std::string& step) -> std::optional<registry::Failure> {
      if (step != gone) return std::nullopt;
      return failure(registry::FailureKind::timeout);
    };
    EXPECT_THROW(run(all->covered("r")), oci::Refusal) << gone;
  }
  far_->judge = {};
  EXPECT_EQ(run(all->covered("r")).images.size(), 2);
  auto rule = from_far();
  rule.rename = "{path}";
  EXPECT_THROW(run(replicator({rule})->covered("r")), oci::Refusal);
}

TEST_F(Replicating, RefusesRulesThatCannotWorkHere) {
  auto follow = from_far();
  follow.when = Follow{};
  EXPECT_THROW(replicator({follow}), std::invalid_argument);
  auto pulled = from_far();
  pulled.pulled_within = PulledWithin{std::chrono::hours(1)};
  EXPECT_THROW(replicator({pulled}), std::invalid_argument);
}

// Run by hand, watched and replaced from other threads than its own.
TEST_F(Replicating, ServesManyThreads) {
  push_image("app", {"1", "2"}, 1);
  auto rule = every(std::chrono::seconds(1));
  rule.repositories = {Glob{"app"}};
  rule.rename = "copy/{repository}";
  Replicator all({facts_, base::system_clock(), metrics_}, {rule},
                 [this](const Rule& wish, const std::string&) { return party(wish, here); });
  test::RunningRuntime runtime(3);
  all.start(runtime.get().executor(0));
  const auto work = [](Replicator& whom) -> async::Task<> {
    for (int i = 0; i < 20; ++i) {
      co_await whom.run("r", Trial::real, {});
      co_await whom.status();
      co_await whom.waiting("r");
    }
  };
  auto one = runtime.start(1, work(all));
  auto two = runtime.start(2, work(all));
  all.replace({rule});
  auto changed = rule;
  changed.without_tags = {Glob{"none"}};
  all.replace({changed});
  one.get();
  two.get();
  runtime.start(1, all.stop()).get();
  EXPECT_TRUE(tagged("copy/app", "2"));
}

}  // namespace
}  // namespace entrepot::replication::replicator_test
