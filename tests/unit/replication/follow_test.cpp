// Following a peer's Journal: order, exactly once, crashes, what fails alone and what fails all.
#include "replication/follower.hpp"

#include <gmock/gmock.h>

#include <boost/asio/cancellation_signal.hpp>
#include <random>

#include "entrepot/index/notes.hpp"
#include "replication/duty.hpp"
#include "replication/run.hpp"
#include "two_sites.hpp"

namespace entrepot::replication::follow_test {
namespace {

using registry::Failure;
using registry::FailureKind;
using test::name;
using testing::Each;
using testing::ElementsAre;
using testing::Pair;

class Follows : public TwoSites {
 protected:
  // Pushes, moves, deletions, signatures.
  void live() {
    const auto one = a.push("app", {"v1", "latest"}, 1);
    a.push("app", {"v2", "latest"}, 2);
    a.sign("app", one, 3);
    a.push("team/tool", {"x"}, 1);  // the same blobs elsewhere
    a.push("app", {"gone"}, 4);
    a.remove_tag("app", "gone");
    const auto dropped = a.push("app", {"dropped"}, 5);
    a.remove("app", dropped);
    a.push("app", {"latest"}, 6);
  }
  std::vector<index::Cause> causes(Site& site, std::string_view repository, std::string_view tag) {
    std::vector<index::Cause> found;
    for (const auto& change : site.history(repository, tag)) found.push_back(change.cause);
    return found;
  }
};

TEST_F(Follows, until_both_are_equal_and_no_blob_crossed_twice) {
  live();
  const auto report = sync();
  EXPECT_EQ(b.holdings(), a.holdings());
  EXPECT_THAT(line.blobs, Each(Pair(testing::_, 1)));
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(a.history("app", "latest").size(), b.history("app", "latest").size());
  EXPECT_EQ(b.history("app", "latest")[0].who, "alice") << "whose doing it was at the source";
  EXPECT_EQ(line.asked["referrers"], 0) << "every manifest has its row";
}

// Rows: N-10
TEST_F(Follows, and_what_it_has_had_it_is_not_told_again) {
  live();
  sync();
  const auto rows = b.newest();
  const auto asked = line.asked["manifest"];
  sync();
  EXPECT_EQ(b.newest(), rows);
  EXPECT_EQ(line.asked["manifest"], asked);
  // The position lost: a replay changes nothing.
  b.run(b.facts_.write(
      [](index::Batch& batch) { index::erase_note(batch, "replication position", "follow"); }));
  const auto before = b.holdings();
  sync();
  EXPECT_EQ(b.holdings(), before);
  EXPECT_EQ(b.newest(), rows);
  EXPECT_EQ(causes(b, "app", "latest").size(), 3U);
}

struct Crash : std::exception {};

// Rows: N-10
TEST_F(Follows, over_a_crash_before_and_after_every_write) {
  live();
  int crashes = 0;
  for (int at = 0; at < 500; ++at) {
    Site fresh;
    // From then on nothing is written any more.
    int writes = 0;
    const auto die = [&] {
      if (writes++ >= at / 2) throw Crash();
    };
    (at % 2 == 0 ? fresh.facts_.before_commit : fresh.facts_.after_commit) = die;
    Following life(errand(a, fresh, line), {});
    try {
      for (int i = 0; i < 3; ++i) fresh.run(life.step(Following::Pace::brisk));
    } catch (const Crash&) {
    }
    fresh.facts_.before_commit = fresh.facts_.after_commit = {};
    if (writes <= at / 2) break;
    ++crashes;
    sync(errand(a, fresh, line), fresh);
    ASSERT_EQ(fresh.holdings(), a.holdings()) << at;
    ASSERT_EQ(causes(fresh, "app", "latest").size(), 3U) << "each change once, " << at;
    ASSERT_EQ(fresh.history("app", "latest")[0].to, a.tagged("app", "latest"));
  }
  EXPECT_GT(crashes, 20);
  EXPECT_LT(crashes, 500);
}

// Rows: N-06 N-10
TEST_F(Follows, over_a_line_that_breaks_all_the_time) {
  live();
  Following following(follower(), {});
  std::minstd_rand dice(7);
  int broken = 0;
  line.judge = [&](const std::string&) -> std::optional<Failure> {
    if (dice() % 4 != 0) return std::nullopt;
    ++broken;
    return Failure{.kind = FailureKind::broken, .message = "cut"};
  };
  steps(following, a, 100);
  EXPECT_GT(broken, 3);
  EXPECT_EQ(b.holdings(), a.holdings());
  EXPECT_EQ(causes(b, "app", "latest").size(), 3U);
}

TEST_F(Follows, past_an_item_that_never_comes) {
  const auto bad = a.push("app", {"bad"}, 1);
  const auto good = a.push("app", {"good"}, 2);
  line.judge = [&](const std::string& what) -> std::optional<Failure> {
    if (what != "manifest " + bad.text()) return std::nullopt;
    return Failure{.kind = FailureKind::broken, .message = "500"};
  };
  const auto one = follower();
  Following following(one, {});
  EXPECT_GE(steps(following, a, 20).size(), 5U);
  EXPECT_EQ(b.tagged("app", "good"), good);
  EXPECT_EQ(b.tagged("app", "bad"), std::nullopt);
  const ItemName item{name("app"), "bad"};
  EXPECT_TRUE(b.run(one->waiting.items()).contains(item));
  // Moved again, it comes with its next row, and waits no longer.
  const auto mended = a.push("app", {"bad"}, 3);
  steps(following, a, 20);
  EXPECT_EQ(b.tagged("app", "bad"), mended);
  EXPECT_FALSE(b.run(one->waiting.items()).contains(item));
}

TEST_F(Follows, past_what_this_registry_refuses) {
  a.push("app", {"v1"}, 1);
  sync();
  b.set_policy(
      {.immutable = {{.repositories = {"**"}, .tags = {"v*"}}}, .quotas = {}, .uploads = {}});
  a.push("app", {"v1"}, 2);
  a.push("app", {"other"}, 3);
  const auto one = follower();
  const auto report = sync(one, b);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_NE(b.tagged("app", "v1"), a.tagged("app", "v1"));
  EXPECT_EQ(b.tagged("app", "other"), a.tagged("app", "other"));
  const auto waiting = b.run(one->waiting.items());
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.begin()->second.error, "tag v1 is immutable");
  EXPECT_EQ(one->board.now().position, a.newest());
}

TEST_F(Follows, what_the_source_has_no_more_is_passed_over) {
  const auto early = a.push("app", {"v1"}, 1);
  a.push("app", {"v1"}, 2);
  a.remove("app", early);
  sync();
  EXPECT_EQ(b.holdings(), a.holdings());
}

TEST_F(Follows, for_some_platforms_and_waits_for_what_is_missing_of_them) {
  a.push_index("app", {"v1"}, 1);
  auto rule = mirror_all();
  rule.platforms = {"linux/arm64"};
  const auto other = follower(rule);
  EXPECT_EQ(sync(other, b).failed, 0U);
  EXPECT_EQ(b.tagged("app", "v1"), std::nullopt);
  EXPECT_TRUE(b.run(other->waiting.items()).empty()) << "it never will be for that platform";
  Site fresh;
  rule.platforms = {"linux/amd64"};
  const auto one = errand(a, fresh, line, rule);
  line.judge = [](const std::string& what) -> std::optional<Failure> {
    if (!what.starts_with("blob ")) return std::nullopt;
    return Failure{.kind = FailureKind::absent, .message = "404"};
  };
  EXPECT_EQ(sync(one, fresh).failed, 1U);
  EXPECT_TRUE(fresh.run(one->waiting.items()).contains({name("app"), "v1"}));
  EXPECT_EQ(fresh.tagged("app", "v1"), std::nullopt);
}

// Of a site that follows others for some platforms only.
TEST_F(Follows, what_a_sparse_index_of_the_source_leaves_out) {
  const auto amd = a.push_image("app", {}, 1);
  const auto index = test::index_of(
      {{test::digest_of(amd), amd.size()}, {test::digest_of("of another platform"), 20}});
  auto put = a.put_of("app", index, {"v1"}, test::index_type);
  put.missing = registry::MissingContent::allow_children;
  a.clock_.advance(base::Milliseconds(10));
  a.put(std::move(put));
  EXPECT_EQ(sync().failed, 0U);
  EXPECT_EQ(b.tagged("app", "v1"), test::digest_of(index));
  EXPECT_EQ(b.holdings(), a.holdings());
}

TEST_F(Follows, under_other_names_and_some_tags_only) {
  const auto image = a.push("app", {"v1.2"}, 1);
  a.push("app", {"nightly"}, 2);
  const auto signature = a.sign("app", image, 3);
  const auto other = a.sign("app", *a.tagged("app", "nightly"), 4);
  auto rule = mirror_all();
  rule.rename = "paris/{repository}";
  rule.tags = {SemverRange{.range = ">=1"}};
  sync(follower(rule), b);
  EXPECT_EQ(b.tagged("paris/app", "v1.2"), image);
  EXPECT_EQ(b.tagged("paris/app", "nightly"), std::nullopt);
  const auto held = [&](const oci::Digest& digest) {
    return b.read(
        [&](const index::View& view) { return index::linked(view, name("paris/app"), digest); });
  };
  EXPECT_TRUE(held(signature));
  EXPECT_FALSE(held(other));
}

// ---- signatures by tag, of a rule for some tags only -------------------------------------------

class Companions : public Follows {
 protected:
  static Rule releases() {
    auto rule = mirror_all();
    rule.tags = {SemverRange{.range = ">=1"}};
    return rule;
  }
  static std::string signature_of(const oci::Digest& digest) {
    return "sha256-" + std::string(digest.hex()) + ".sig";
  }
};

TEST_F(Companions, come_with_the_image_of_the_same_page_before_and_after_it) {
  const auto image = a.push("app", {"v1.2"}, 1);
  const auto signature = a.push("app", {signature_of(image)}, 2);
  const auto nested = a.push("app", {signature_of(signature)}, 3);
  const auto other = a.push("app", {"nightly"}, 4);
  a.push("app", {signature_of(other)}, 5);
  const auto late = a.push("app", {}, 6);
  const auto early = a.push("app", {signature_of(late)}, 7);
  a.push("app", {"v1.3"}, 6);
  sync(follower(releases()), b);
  EXPECT_EQ(b.tagged("app", signature_of(image)), signature);
  EXPECT_EQ(b.tagged("app", signature_of(signature)), nested);
  EXPECT_EQ(b.tagged("app", signature_of(late)), early);
  EXPECT_EQ(b.tagged("app", signature_of(other)), std::nullopt);
}

TEST_F(Companions, come_with_an_image_that_was_signed_long_before_it_is_released) {
  const auto image = a.push("app", {"nightly"}, 1);
  const auto signature = a.push("app", {signature_of(image)}, 2);
  const auto one = follower(releases());
  sync(one, b);
  EXPECT_EQ(b.tagged("app", signature_of(image)), std::nullopt);
  a.push("app", {"v2.0"}, 1);
  sync(one, b);
  EXPECT_EQ(b.tagged("app", "v2.0"), image);
  EXPECT_EQ(b.tagged("app", signature_of(image)), signature);
  EXPECT_EQ(one->board.now().position, a.newest());
}

TEST_F(Companions, come_with_an_image_that_had_to_wait) {
  const auto image = a.push("app", {"v1.2"}, 1);
  const auto signature = a.push("app", {signature_of(image)}, 2);
  line.judge = [&](const std::string& what) -> std::optional<Failure> {
    if (what != "manifest " + image.text()) return std::nullopt;
    return Failure{.kind = FailureKind::denied, .message = "403"};
  };
  const auto one = follower(releases());
  sync(one, b);
  EXPECT_EQ(b.tagged("app", signature_of(image)), std::nullopt);
  line.judge = {};
  b.run(run(one, {.selection = Selection{{name("app"), {"v1.2"}}}}));
  EXPECT_EQ(b.tagged("app", "v1.2"), image);
  EXPECT_EQ(b.tagged("app", signature_of(image)), signature);
}

TEST_F(Companions, are_not_lost_to_a_line_that_breaks_while_it_is_asked_whose_they_are) {
  const auto image = a.push("app", {"v1.2"}, 1);
  sync(follower(releases()), b);
  const auto signature = a.sign("app", image, 2);
  int breaks = 2;
  line.judge = [&](const std::string& what) -> std::optional<Failure> {
    if (what != "manifest " + signature.text() || breaks-- <= 0) return std::nullopt;
    return Failure{.kind = FailureKind::timeout, .message = "late"};
  };
  sync(follower(releases()), b);
  EXPECT_TRUE(
      b.read([&](const index::View& view) { return index::linked(view, name("app"), signature); }));
}

TEST_F(Follows, and_says_what_it_has_no_name_for) {
  auto rule = mirror_all();
  rule.rename = "{path}";
  a.push("team/app", {"v1"}, 1);
  a.push("app", {"v1"}, 2);
  a.push("app", {"gone"}, 3);
  a.remove_tag("app", "gone");
  const auto one = follower(rule);
  EXPECT_GE(sync(one, b).failed, 1U);
  EXPECT_TRUE(b.tagged("team", "v1"));
  const auto waiting = b.run(one->waiting.items());
  ASSERT_TRUE(waiting.contains({name("app"), "v1"}));
  EXPECT_EQ(waiting.at({name("app"), "v1"}).error,
            "the rule's rename makes no name of a repository of it");
}

TEST_F(Follows, and_keeps_what_is_deleted_when_the_rule_says_so) {
  auto rule = mirror_all();
  rule.deletions = Deletions::keep;
  const auto image = a.push("app", {"v1"}, 1);
  a.remove_tag("app", "v1");
  sync(follower(rule), b);
  EXPECT_EQ(b.tagged("app", "v1"), image);
}

// ---- both sides change --------------------------------------------------------------------------

class Conflicts : public Follows {
 protected:
  // Both ways until nothing is new.
  void settle(Rule at_a = mirror_all(), Rule at_b = mirror_all()) {
    for (int i = 0; i < 4; ++i) {
      sync(errand(a, b, line, at_b), b);
      sync(errand(b, a, back, at_a), a);
    }
  }
  static Rule with(Conflict conflict) {
    auto rule = mirror_all();
    rule.conflict = conflict;
    return rule;
  }
};

// Rows: N-11
TEST_F(Conflicts, end_equal_with_the_later_change_and_the_loser_in_the_history) {
  const auto older = a.push("app", {"latest"}, 1);
  b.clock_.advance(base::Seconds(5));
  const auto newer = b.push("app", {"latest"}, 2);
  settle();
  EXPECT_EQ(a.tagged("app", "latest"), newer);
  EXPECT_EQ(b.tagged("app", "latest"), newer);
  EXPECT_EQ(a.holdings(), b.holdings());
  EXPECT_THAT(causes(b, "app", "latest"),
              ElementsAre(index::Cause::superseded, index::Cause::push));
  EXPECT_THAT(causes(a, "app", "latest"), ElementsAre(index::Cause::push, index::Cause::push));
  EXPECT_EQ(b.history("app", "latest")[0].to, older);
  const auto rows = std::pair(a.newest(), b.newest());
  settle();
  EXPECT_EQ(std::pair(a.newest(), b.newest()), rows) << "nothing goes round";
}

// Rows: N-11
TEST_F(Conflicts, the_source_wins_where_the_rule_says_so) {
  const auto theirs = a.push("app", {"latest"}, 1);
  b.clock_.advance(base::Seconds(5));
  b.push("app", {"latest"}, 2);
  settle(with(Conflict::newest), with(Conflict::source));
  EXPECT_EQ(a.tagged("app", "latest"), theirs);
  EXPECT_EQ(b.tagged("app", "latest"), theirs);
  EXPECT_EQ(a.holdings(), b.holdings());
}

// Rows: N-11
TEST_F(Conflicts, two_sources_that_always_win_come_to_an_end) {
  a.push("app", {"latest"}, 1);
  b.push("app", {"latest"}, 2);
  settle(with(Conflict::source), with(Conflict::source));
  const auto rows = std::pair(a.newest(), b.newest());
  settle(with(Conflict::source), with(Conflict::source));
  EXPECT_EQ(a.tagged("app", "latest"), b.tagged("app", "latest"));
  EXPECT_EQ(std::pair(a.newest(), b.newest()), rows);
}

// Rows: N-11
TEST_F(Conflicts, what_was_changed_here_stays_where_the_rule_says_so) {
  const auto ours = b.push("app", {"latest"}, 2);
  a.clock_.advance(base::Seconds(5));
  a.push("app", {"latest"}, 1);
  const auto other = a.push("app", {"other"}, 3);
  settle(with(Conflict::source), with(Conflict::target));
  EXPECT_EQ(b.tagged("app", "latest"), ours);
  EXPECT_EQ(a.tagged("app", "latest"), ours);
  EXPECT_EQ(b.tagged("app", "other"), other);
  EXPECT_THAT(causes(b, "app", "latest"), testing::Contains(index::Cause::superseded).Times(1));
}

class Waiting : public Conflicts {
 protected:
  // What waited, when its time has come.
  RunResult retry(const SharedErrand& one, const std::string& reference) {
    b.run(one->waiting.failed({name("app"), reference}, "500", b.clock_.wall(), Blame::item));
    auto result = b.run(run(one, {.selection = Selection{{name("app"), {reference}}}}));
    EXPECT_TRUE(b.run(one->waiting.items()).empty());
    return result;
  }
};

// Rows: N-11
TEST_F(Waiting, ends_with_what_was_changed_here_where_the_rule_says_so) {
  const auto ours = b.push("app", {"latest"}, 2);
  a.clock_.advance(base::Seconds(5));
  a.push("app", {"latest"}, 1);
  EXPECT_EQ(retry(follower(with(Conflict::target)), "latest").report.changed, 0U);
  EXPECT_EQ(b.tagged("app", "latest"), ours);
  EXPECT_THAT(causes(b, "app", "latest"),
              ElementsAre(index::Cause::superseded, index::Cause::push));
}

// Rows: N-11
TEST_F(Waiting, ends_with_what_the_source_has_where_the_rule_says_so) {
  const auto theirs = a.push("app", {"latest"}, 1);
  b.clock_.advance(base::Seconds(5));
  b.push("app", {"latest"}, 2);
  retry(follower(with(Conflict::source)), "latest");
  EXPECT_EQ(b.tagged("app", "latest"), theirs);
}

TEST_F(Waiting, ends_with_the_rows_of_the_source_a_manifests_own_too) {
  a.push("app", {"v1"}, 1);
  const auto loose = a.push("app", {}, 2);
  EXPECT_EQ(retry(follower(), "v1").report.changed, 1U);
  EXPECT_EQ(b.history("app", "v1")[0].who, "alice");
  EXPECT_EQ(b.history("app", "v1")[0].cause, index::Cause::push);
  retry(follower(), loose.text());
  const auto version = [&](Site& site) {
    return site.read(
        [&](const index::View& view) { return index::manifest_version(view, name("app"), loose); });
  };
  EXPECT_TRUE(version(b));
  EXPECT_EQ(version(b), version(a));
}

// Rows: N-11
TEST_F(Conflicts, a_tag_outlives_the_deletion_of_its_manifest_that_knew_nothing_of_it) {
  const auto image = a.push("app", {"v1"}, 1);
  settle();
  b.push("app", {"v3"}, 1);
  a.clock_.advance(base::Seconds(1));
  a.remove("app", image);
  settle();
  EXPECT_EQ(a.tagged("app", "v3"), image);
  EXPECT_EQ(b.tagged("app", "v3"), image);
  EXPECT_EQ(b.tagged("app", "v1"), std::nullopt);
  EXPECT_EQ(a.holdings(), b.holdings());
}

// Rows: N-11
TEST_F(Conflicts, where_the_source_wins_its_tag_brings_back_what_was_deleted_here) {
  const auto image = a.push("app", {"v1"}, 1);
  settle();
  a.push("app", {"v3"}, 1);
  b.clock_.advance(base::Seconds(1));
  b.remove("app", image);
  b.push("app", {"v3"}, 2);
  settle(with(Conflict::newest), with(Conflict::source));
  EXPECT_EQ(b.tagged("app", "v3"), image);
  EXPECT_EQ(a.holdings(), b.holdings());
}

// ---- life ---------------------------------------------------------------------------------------

TEST_F(Follows, until_it_is_cancelled_in_the_midst_of_its_wait) {
  a.push("app", {"v1"}, 1);
  const auto one = follower();
  boost::asio::cancellation_signal stop;
  bool ended = false;
  async::spawn_cancellable(b.context_.get_executor(), follow(one), "test", stop.slot(),
                           [&] { ended = true; });
  b.context_.restart();
  while (one->board.now().position < a.newest()) b.context_.run_one();
  b.context_.run_for(std::chrono::milliseconds(20));
  stop.emit(boost::asio::cancellation_type::terminal);
  b.context_.restart();
  b.context_.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(ended);
  EXPECT_EQ(b.holdings(), a.holdings());
  EXPECT_EQ(one->board.now().lag, std::chrono::milliseconds(0));
}

TEST_F(Follows, what_is_known_and_not_moved_is_seen) {
  a.push("app", {"v1"}, 1);
  const auto one = follower();
  std::uint64_t most = 0;
  line.judge = [&](const std::string&) -> std::optional<Failure> {
    most = std::max(most, one->board.now().waiting_bytes);
    return std::nullopt;
  };
  sync(one, b);
  EXPECT_EQ(most, 5300U);
  EXPECT_EQ(one->board.now().waiting_bytes, 0U);
}

TEST_F(Follows, a_peer_that_is_away_is_seen_by_the_lag) {
  a.push("app", {"v1"}, 1);
  const auto one = follower();
  Following following(one, {});
  steps(following, a, 3);
  EXPECT_EQ(one->board.now().lag, std::chrono::milliseconds(0));
  line.judge = [](const std::string&) {
    return Failure{.kind = FailureKind::timeout, .message = "late"};
  };
  b.clock_.advance(base::Seconds(40));
  EXPECT_TRUE(b.run(following.step(Following::Pace::brisk)));
  EXPECT_EQ(one->board.now().lag, std::chrono::seconds(40));
}

// Rows: N-10
TEST_F(Follows, who_was_away_and_what_waited_for_that_is_tried_at_once) {
  a.push("app", {"v1", "v2"}, 1);
  const auto one = follower();
  sync(one, b);
  const auto now = b.clock_.wall();
  b.run(one->waiting.failed({name("app"), "v1"}, "cut", now, Blame::line));
  b.run(one->waiting.failed({name("app"), "v2"}, "quota", now, Blame::item));
  line.judge = [this](const std::string& what) -> std::optional<Failure> {
    if (what != "changes" || line.asked["changes"] > 3) return std::nullopt;
    return Failure{.kind = FailureKind::broken, .message = "cut"};
  };
  line.asked.clear();
  const auto duty = std::make_shared<Duty>(one);
  Duty::start(duty, b.context_.get_executor(), nullptr);
  b.context_.restart();
  for (int i = 0; i < 500 && one->waiting.size() > 1; ++i) {
    b.context_.run_for(std::chrono::milliseconds(20));
  }
  Duty::stop(duty);
  b.run(duty->ended());
  EXPECT_GT(line.asked["changes"], 3);
  EXPECT_THAT(b.run(one->waiting.items()), ElementsAre(testing::Key(ItemName{name("app"), "v2"})));
}

// Rows: N-11
TEST_F(Follows, whose_clock_is_hours_ahead_is_told_and_what_is_a_day_ahead_is_refused) {
  a.clock_.advance(std::chrono::hours(3));
  const auto early = a.push("app", {"v1"}, 1);
  const auto one = follower();
  sync(one, b);
  EXPECT_EQ(b.tagged("app", "v1"), early);
  EXPECT_GE(one->board.now().clock_ahead, std::chrono::hours(3));
  a.clock_.advance(std::chrono::hours(24 * 365));
  a.push("app", {"v1"}, 2);
  EXPECT_EQ(sync(one, b).failed, 1U);
  EXPECT_EQ(b.tagged("app", "v1"), early);
  const auto waits = b.run(one->waiting.items());
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_THAT(waits.begin()->second.error, testing::HasSubstr("hours ahead of the clock here"));
  EXPECT_EQ(waits.begin()->second.blame, Blame::item);
  const auto ours = b.push("app", {"v1"}, 3);
  EXPECT_LT(b.history("app", "v1")[0].time, a.clock_.wall() - std::chrono::hours(24));
  EXPECT_EQ(b.tagged("app", "v1"), ours);
}

TEST_F(Follows, nobody_follows_himself) {
  EXPECT_THROW(sync(errand(b, b, back), b), std::runtime_error);
}

}  // namespace
}  // namespace entrepot::replication::follow_test
