// What a tag stands for: fresh, confirmed, moved, stale, gone.
#include <gtest/gtest.h>

#include "mirror_house.hpp"

namespace entrepot::test::tags_test {
namespace {

class Tags : public MirrorHouse {
 protected:
  std::optional<oci::Digest> held(const std::string& text = "v1") {
    const auto record = run(site_.facts.read(
        [&](const index::View& view) { return index::tag(view, name("hub/app"), tag(text)); }));
    return record ? std::optional(record->digest) : std::nullopt;
  }
  std::vector<Outcome> outcomes(int times) {
    std::vector<Outcome> all;
    for (int i = 0; i < times; ++i)
      all.push_back(get("app", reference("v1")).value().provenance.outcome);
    return all;
  }
  // Refreshes behind an answer have run.
  void settle_refreshes() {
    context_.restart();
    context_.run_for(milliseconds(50));
  }
};

TEST_F(Tags, a_cold_get_costs_one_get) {
  const auto manifest = put_image("app", "v1");
  const auto answer = get("app", reference("v1"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bytes, manifest);
  EXPECT_EQ(answer->provenance.outcome, Outcome::fetched);
  EXPECT_EQ(answer->provenance.upstream, "hub");
  EXPECT_EQ(upstream_.count(Verb::fetching), 1);
  EXPECT_EQ(upstream_.questions(), 1);
  EXPECT_EQ(held(), digest_of(manifest));
}

TEST_F(Tags, a_cold_head_brings_the_manifest_too) {
  const auto manifest = put_image("app", "v1");
  const auto answer = head("app", reference("v1"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->digest, digest_of(manifest));
  EXPECT_EQ(answer->size, manifest.size());
  EXPECT_EQ(upstream_.count(Verb::resolving), 1);
  EXPECT_EQ(upstream_.count(Verb::fetching), 1);
  EXPECT_EQ(get("app", reference(digest_of(manifest))).value().provenance.outcome, Outcome::hit);
  EXPECT_EQ(get("app", reference("v1")).value().provenance.outcome, Outcome::hit);
  EXPECT_EQ(upstream_.questions(), 2);
}

// Rows: C-18
TEST_F(Tags, fresh_is_answered_without_a_question_then_confirmed_by_head) {
  put_image("app", "v1");
  EXPECT_EQ(outcomes(1), std::vector{Outcome::fetched});
  pull_image("app", "v1");
  const auto asked = upstream_.questions();
  clock_.advance(seconds(59));
  const auto fresh = get("app", reference("v1"));
  EXPECT_EQ(fresh->provenance.outcome, Outcome::hit);
  EXPECT_EQ(fresh->provenance.age, seconds(59));
  EXPECT_EQ(upstream_.questions(), asked);
  clock_.advance(seconds(1));
  EXPECT_EQ(outcomes(2), (std::vector{Outcome::revalidated, Outcome::hit}));
  EXPECT_EQ(upstream_.count(Verb::resolving), 1);
  EXPECT_EQ(upstream_.count(Verb::fetching), 1) << "never by GET";
}

// Rows: C-12
TEST_F(Tags, a_fresh_tag_whose_image_is_not_all_here_is_given_while_upstream_is_there) {
  put_image("app", "v1");
  ASSERT_TRUE(get("app", reference("v1")));
  clock_.advance(seconds(1));
  EXPECT_EQ(outcomes(1), std::vector{Outcome::hit}) << "confirmed a moment ago";
  clock_.advance(seconds(10));
  EXPECT_EQ(outcomes(1), std::vector{Outcome::revalidated});
  clock_.advance(seconds(10));
  upstream_.fail_all(FailureKind::broken);
  EXPECT_FALSE(get("app", reference("v1"))) << "its layers could not be had";
}

// Rows: M-13
TEST_F(Tags, a_moved_tag_brings_the_manifest_it_moved_to) {
  put_image("app", "v1", 1);
  ASSERT_TRUE(get("app", reference("v1")));
  const auto second = put_image("app", "v1", 2);
  clock_.advance(minutes(2));
  const auto answer = get("app", reference("v1"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->digest, digest_of(second));
  EXPECT_EQ(digest_of(answer->bytes), answer->digest);
  EXPECT_EQ(answer->provenance.outcome, Outcome::fetched);
  EXPECT_EQ(held(), digest_of(second));
}

// Rows: M-13
TEST_F(Tags, a_tag_without_its_manifest_changes_nothing) {
  put_image("app", "v1", 1);
  pull_image("app", "v1", 1);
  upstream_.point("app", "v1", digest_of("a manifest that went away meanwhile"));
  const auto first = held();
  clock_.advance(minutes(2));
  // The script tells no digest without a manifest, so let the fetch fail instead.
  const auto second = put_image("app", "v1", 2);
  upstream_.fail(Verb::fetching, FailureKind::absent);
  const auto answer = get("app", reference("v1"));
  ASSERT_TRUE(answer) << "stale: the image is complete here";
  EXPECT_EQ(answer->digest, first);
  EXPECT_EQ(answer->provenance.outcome, Outcome::stale);
  EXPECT_TRUE(answer->provenance.upstream_failed);
  EXPECT_EQ(held(), first);
}

// Rows: M-14
TEST_F(Tags, a_rollback_is_served_and_reported) {
  const auto old = put_image("app", "v1", 1);
  ASSERT_TRUE(get("app", reference("v1")));
  put_image("app", "v1", 2);
  clock_.advance(minutes(2));
  ASSERT_TRUE(get("app", reference("v1")));
  EXPECT_FALSE(counted("entrepot_tag_rollbacks_total{"));
  upstream_.point("app", "v1", digest_of(old));
  clock_.advance(minutes(2));
  EXPECT_EQ(get("app", reference("v1"))->digest, digest_of(old));
  EXPECT_TRUE(counted(R"(entrepot_tag_rollbacks_total{upstream="hub"} 1)"));
}

// Rows: M-14
TEST_F(Tags, a_rollback_may_be_refused) {
  options_.rollback = mirror::Rollback::refused;
  const auto old = put_image("app", "v1", 1);
  ASSERT_TRUE(get("app", reference("v1")));
  const auto newer = put_image("app", "v1", 2);
  clock_.advance(minutes(2));
  ASSERT_TRUE(get("app", reference("v1")));
  upstream_.point("app", "v1", digest_of(old));
  clock_.advance(minutes(2));
  EXPECT_EQ(get("app", reference("v1"))->digest, digest_of(newer));
  EXPECT_TRUE(counted(R"(entrepot_tag_rollbacks_total{upstream="hub"} 1)"));
  const auto newest = put_image("app", "v1", 3);
  clock_.advance(minutes(2));
  EXPECT_EQ(get("app", reference("v1"))->digest, digest_of(newest)) << "what is new is no rollback";
}

// Rows: C-18
TEST_F(Tags, stale_while_revalidate_answers_now_and_asks_behind) {
  options_.freshness.stale_while_revalidate = minutes(10);
  const auto first = put_image("app", "v1", 1);
  pull_image("app", "v1", 1);
  const auto second = put_image("app", "v1", 2);
  clock_.advance(minutes(5));
  const auto stale = get("app", reference("v1"));
  EXPECT_EQ(stale->provenance.outcome, Outcome::stale);
  EXPECT_FALSE(stale->provenance.upstream_failed);
  EXPECT_EQ(stale->digest, digest_of(first));
  settle_refreshes();
  const auto after = get("app", reference("v1"));
  EXPECT_EQ(after->provenance.outcome, Outcome::hit);
  EXPECT_EQ(after->digest, digest_of(second));
}

// Rows: C-12, C-18, N-01, N-03, N-04
TEST_F(Tags, nothing_but_absence_takes_a_tag_away) {
  const auto manifest = put_image("app", "v1");
  pull_image("app", "v1");
  for (const auto kind :
       {FailureKind::denied, FailureKind::throttled, FailureKind::timeout, FailureKind::broken}) {
    clock_.advance(minutes(20));
    upstream_.fail_all(kind);
    const auto answer = get("app", reference("v1"));
    ASSERT_TRUE(answer) << to_string(kind);
    EXPECT_EQ(answer->provenance.outcome, Outcome::stale);
    EXPECT_TRUE(answer->provenance.upstream_failed);
    EXPECT_GE(answer->provenance.age, minutes(20));
    EXPECT_EQ(held(), digest_of(manifest));
  }
  EXPECT_TRUE(counted(R"(entrepot_stale_served_total{upstream="hub"} 4)"));
}

// Rows: C-18
TEST_F(Tags, stale_has_a_limit) {
  put_image("app", "v1");
  pull_image("app", "v1");
  upstream_.fail_all(FailureKind::broken);
  clock_.advance(hours(24 * 30));
  EXPECT_TRUE(get("app", reference("v1")));
  clock_.advance(seconds(1));
  EXPECT_EQ(failed(get("app", reference("v1"))), FailureKind::broken);
}

TEST_F(Tags, an_incomplete_image_is_not_promised_without_upstream) {
  put_image("app", "v1");
  ASSERT_TRUE(get("app", reference("v1")));
  upstream_.fail_all(FailureKind::broken);
  clock_.advance(minutes(2));
  EXPECT_EQ(failed(get("app", reference("v1"))), FailureKind::broken);
}

// Rows: N-03
TEST_F(Tags, a_slow_or_throttling_upstream_is_left_alone_for_a_while) {
  put_image("app", "v1");
  pull_image("app", "v1");
  clock_.advance(minutes(2));
  for (const auto kind : {FailureKind::timeout, FailureKind::throttled}) {
    upstream_.fail_all(kind);
    const auto before = upstream_.questions();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(outcomes(1), std::vector{Outcome::stale});
    EXPECT_EQ(upstream_.questions(), before + 1) << to_string(kind);
    clock_.advance(seconds(10));
  }
  upstream_.calm();
  EXPECT_EQ(outcomes(1), std::vector{Outcome::revalidated});
}

TEST_F(Tags, upstream_removes_a_tag) {
  put_image("app", "v1");
  ASSERT_TRUE(get("app", reference("v1")));
  upstream_.remove_tag("app", "v1");
  clock_.advance(minutes(2));
  EXPECT_EQ(failed(get("app", reference("v1"))), FailureKind::absent);
  EXPECT_EQ(held(), std::nullopt);
}

// Rows: C-12
TEST_F(Tags, absent_is_believed_for_ten_seconds) {
  EXPECT_EQ(failed(get("app", reference("v1"))), FailureKind::absent);
  put_image("app", "v1");
  clock_.advance(milliseconds(9'999));
  EXPECT_EQ(failed(get("app", reference("v1"))), FailureKind::absent);
  EXPECT_EQ(failed(head("app", reference("v1"))), FailureKind::absent);
  EXPECT_EQ(upstream_.questions(), 1);
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(get("app", reference("v1")));
}

// Rows: C-12
TEST_F(Tags, other_failures_are_not_remembered) {
  put_image("app", "v1");
  for (const auto kind :
       {FailureKind::denied, FailureKind::throttled, FailureKind::timeout, FailureKind::broken}) {
    upstream_.fail(Verb::fetching, kind, 1);
    EXPECT_EQ(failed(get("app", reference("v1"))), kind);
  }
  EXPECT_TRUE(get("app", reference("v1")));
}

TEST_F(Tags, offline_answers_what_is_complete_and_never_asks) {
  put_image("app", "v1", 1);
  put_image("app", "v2", 2);
  pull_image("app", "v1", 1);
  ASSERT_TRUE(get("app", reference("v2")));
  options_.asking = mirror::Asking::never;
  auto& mirror = add_mirror(options_, upstream_);
  const auto asked = upstream_.questions();
  clock_.advance(hours(24 * 365));
  const auto answer = run(mirror.manifest(name("app"), reference("v1")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->provenance.outcome, Outcome::offline);
  EXPECT_EQ(failed(run(mirror.manifest(name("app"), reference("v2")))), FailureKind::offline);
  EXPECT_EQ(failed(run(mirror.manifest(name("app"), reference("v3")))), FailureKind::offline);
  const auto tags = run(mirror.tags(name("app"), {}));
  ASSERT_TRUE(tags);
  EXPECT_EQ(tags->tags.size(), 2U);
  EXPECT_EQ(upstream_.questions(), asked);
}

TEST_F(Tags, pinned_tags_are_never_asked_about_again) {
  options_.pinned = {"app:v*"};
  const auto first = put_image("app", "v1", 1);
  ASSERT_TRUE(get("app", reference("v1")));
  put_image("app", "v1", 2);
  clock_.advance(hours(24 * 365));
  EXPECT_EQ(get("app", reference("v1"))->digest, digest_of(first));
  EXPECT_EQ(upstream_.questions(), 1);
}

// Rows: C-18
TEST_F(Tags, a_clock_set_back_makes_no_tag_fresh_for_ever) {
  put_image("app", "v1");
  ASSERT_TRUE(get("app", reference("v1")));
  clock_.set_wall(-hours(24));
  EXPECT_EQ(outcomes(1), std::vector{Outcome::revalidated});
}

TEST_F(Tags, lists_are_upstreams_while_it_can_be_asked) {
  put_image("app", "v1", 1);
  put_image("app", "v2", 2);
  ASSERT_TRUE(get("app", reference("v1")));
  const auto count = [&] {
    const auto page = run(hub().tags(name("app"), {}));
    return page ? static_cast<int>(page->tags.size()) : -1;
  };
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(upstream_.count(Verb::listing), 1) << "believed for a moment";
  upstream_.fail(Verb::listing, FailureKind::broken);
  clock_.advance(seconds(11));
  EXPECT_EQ(count(), 1) << "what is held here";
}

}  // namespace
}  // namespace entrepot::test::tags_test
