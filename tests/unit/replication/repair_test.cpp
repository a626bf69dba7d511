// Anti-entropy: what the feed missed is found by summaries alone, and no more is asked than that.
#include "replication/repair.hpp"

#include <gmock/gmock.h>

#include "entrepot/index/collection.hpp"
#include "two_sites.hpp"

namespace entrepot::replication::repair_test {
namespace {

using test::name;
using test::tag;

class Repairs : public TwoSites {
 protected:
  Repaired mend(Rule rule = mirror_all()) {
    Setbacks setbacks;
    auto answer = b.run(repair(follower(std::move(rule)), setbacks, {}));
    EXPECT_TRUE(answer) << answer.error().message;
    return std::move(*answer);
  }
  // Tags v<first>, v<first + step>, … point to these images, in one write.
  static void point(Site& site, int first, int step, base::WallTime now,
                    const std::vector<oci::Digest>& images) {
    site.run(site.facts_.write([&](index::Batch& batch) {
      for (int i = first; i < 10'000; i += step) {
        index::apply_change(batch,
                            {.repository = name("app"),
                             .tag = tag("v" + std::to_string(i)),
                             .to = images[static_cast<std::size_t>(i) % images.size()],
                             .version = {now, "0"}},
                            now);
      }
    }));
  }
};

TEST_F(Repairs, what_the_feed_never_told) {
  const auto one = a.push("app", {"v1", "latest"}, 1);
  a.push("team/tool", {"x"}, 2);
  sync();
  line.hides_rows = true;
  a.push("app", {"latest"}, 3);
  a.sign("app", one, 4);
  a.push("new", {"y"}, 5);
  a.remove_tag("app", "v1");
  a.remove("team/tool", *a.tagged("team/tool", "x"));
  EXPECT_NE(b.holdings(), a.holdings());
  const auto repaired = mend();
  EXPECT_EQ(b.holdings(), a.holdings());
  EXPECT_GT(repaired.different, 3U);
  EXPECT_EQ(mend().different, 0U);
  const auto history = b.history("app", "latest");
  EXPECT_EQ(history[0].cause, index::Cause::push);
  EXPECT_EQ(history[0].who, "alice");
}

TEST_F(Repairs, when_rows_were_dropped_before_they_were_read) {
  a.push("app", {"v1"}, 1);
  sync();
  a.push("app", {"v1"}, 2);
  a.push("app", {"v2"}, 3);
  a.clock_.advance(base::Seconds(1));
  a.run(a.facts_.write(
      [&](index::Batch& batch) { return index::drop_history(batch, a.clock_.wall(), 1000); }));
  sync();
  EXPECT_EQ(b.tagged("app", "v1"), a.tagged("app", "v1"));
  EXPECT_EQ(b.tagged("app", "v2"), a.tagged("app", "v2"));
  a.push("app", {"v3"}, 4);
  sync();
  EXPECT_EQ(b.tagged("app", "v3"), a.tagged("app", "v3"));
}

TEST_F(Repairs, when_the_peer_has_another_journal) {
  a.push("app", {"v1"}, 1);
  sync();
  line.hides_rows = true;
  a.push("app", {"v2"}, 2);
  a.run(a.facts_.write([](index::Batch& batch) { index::renew_journal(batch); }));
  sync();
  EXPECT_EQ(b.holdings(), a.holdings());
}

TEST_F(Repairs, what_is_newer_here_stays) {
  a.push("app", {"latest"}, 1);
  sync();
  b.clock_.advance(base::Seconds(5));
  const auto ours = b.push("app", {"latest", "mine"}, 2);
  mend();
  EXPECT_EQ(b.tagged("app", "latest"), ours);
  EXPECT_EQ(b.tagged("app", "mine"), ours);
}

TEST_F(Repairs, what_is_only_here_costs_no_question_when_deletions_are_kept) {
  a.push("app", {"v1"}, 1);
  sync();
  b.push("app", {"mine"}, 2);
  b.push("other", {"mine"}, 3);
  auto rule = mirror_all();
  rule.deletions = Deletions::keep;
  line.asked.clear();
  EXPECT_EQ(mend(rule).different, 0U);
  EXPECT_EQ(line.asked["latest"], 0);
  EXPECT_TRUE(b.tagged("app", "mine"));
}

TEST_F(Repairs, what_is_only_here_goes_when_the_rule_is_exact) {
  a.push("app", {"v1"}, 1);
  sync();
  b.push("app", {"mine"}, 2);
  auto rule = mirror_all();
  rule.deletions = Deletions::exact;
  mend(rule);
  EXPECT_EQ(b.tagged("app", "mine"), std::nullopt);
  EXPECT_EQ(b.tagged("app", "v1"), a.tagged("app", "v1"));
}

TEST_F(Repairs, under_a_prefix_of_ours) {
  auto rule = mirror_all();
  rule.rename = "paris/{repository}";
  a.push("app", {"v1"}, 1);
  b.push("app", {"ours"}, 2);
  line.hides_rows = true;
  mend(rule);
  EXPECT_EQ(b.tagged("paris/app", "v1"), a.tagged("app", "v1"));
  EXPECT_EQ(mend(rule).different, 0U);
}

TEST_F(Repairs, ten_of_ten_thousand_tags_for_less_than_64_KiB) {
  std::vector<oci::Digest> images;
  for (unsigned i = 0; i < 20; ++i) images.push_back(a.push("app", {}, i));
  const auto other = a.push("app", {}, 100);
  sync();
  point(a, 0, 1, a.clock_.wall(), images);
  point(b, 0, 1, a.clock_.wall(), images);
  line.summary_bytes = 0;
  EXPECT_EQ(mend().different, 0U);
  const auto equal = line.summary_bytes;
  EXPECT_LT(equal, 2048U);
  point(a, 3, 1000, a.clock_.wall() + base::Seconds(1), {other});
  line.summary_bytes = 0;
  EXPECT_EQ(mend().different, 10U);
  EXPECT_LT(line.summary_bytes, std::size_t{64} * 1024);
  RecordProperty("summary_bytes", static_cast<int>(line.summary_bytes));
  std::printf("[ figures  ] equal: %zu bytes, ten changed: %zu bytes\n", equal, line.summary_bytes);
  EXPECT_EQ(b.holdings(), a.holdings());
}

}  // namespace
}  // namespace entrepot::replication::repair_test
