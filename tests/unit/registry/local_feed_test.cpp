#include "entrepot/registry/local_feed.hpp"

#include "contract/feed_contract.hpp"
#include "registry/summary_shelf.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_index.hpp"

namespace entrepot::test::local_feed_test {
namespace {

using registry::LocalFeed;

class LocalFeedStand final : public FeedStand {
 public:
  registry::Feed& feed() override { return feed_; }
  index::Index& index() override { return index_; }
  LocalFeed& local() { return feed_; }

 private:
  async::BlockingPool pool_{1};
  MemoryIndex index_;
  LocalFeed feed_{{index_, pool_, base::system_clock()}};
};

INSTANTIATE_TEST_SUITE_P(Local, FeedContract, testing::Values([] {
                           return std::unique_ptr<FeedStand>(std::make_unique<LocalFeedStand>());
                         }));

class SeenFeed : public testing::Test {
 protected:
  void put(const std::string& repository) {
    stand_.run(stand_.index().write(
        [&](index::Batch& batch) { put_tag(batch, repository, "v1", feed_image); }));
  }
  LocalFeed seen_by_team() {
    return stand_.local().seen_by(
        [](const oci::RepositoryName& here) { return here.text().starts_with("team/"); });
  }
  LocalFeedStand stand_;
};

// Rows: A-18
TEST_F(SeenFeed, who_may_not_see_a_repository_hears_nothing_of_it) {
  for (const auto* each : {"team/app", "secret/app", "team/b"}) put(each);
  auto feed = seen_by_team();
  const auto page = stand_.run(feed.changes({}, 0, 100, 0ms));
  EXPECT_THAT(told(page.value()), testing::ElementsAre("1 team/app", "3 team/b"));
  const auto root = stand_.run(feed.summaries({}, {""}));
  EXPECT_EQ(count_of(root.value().front()), 2U);
  EXPECT_EQ(stand_.run(feed.items({}, {""})).value().size(), 2U);
  EXPECT_TRUE(stand_.run(feed.latest({}, {{name("secret/app"), feed_tag("v1")}})).value().empty());
  const auto all = stand_.run(stand_.feed().summaries({}, {""}));
  EXPECT_EQ(count_of(all.value().front()), 3U) << "what is kept is kept for each";
}

TEST_F(SeenFeed, who_sees_the_same_shares_what_was_computed) {
  put("team/app");
  auto feed = seen_by_team();
  const auto mine = stand_.run(feed.summaries({}, {""}));
  const auto theirs = stand_.run(stand_.feed().summaries({}, {""}));
  EXPECT_EQ(mine.value().front().children, theirs.value().front().children);
}

async::Task<> stop_later(LocalFeed& feed) {
  co_await async::sleep_for(50ms);
  feed.stop();
}

TEST_F(SeenFeed, nobody_waits_any_more_when_the_daemon_ends) {
  auto seen = seen_by_team();
  boost::asio::co_spawn(stand_.context(), stop_later(stand_.local()), boost::asio::detached);
  EXPECT_TRUE(stand_.run(seen.changes({}, 0, 1, 60s)).value().changes.empty());
  EXPECT_TRUE(stand_.run(seen.changes({}, 0, 1, 60s)).value().changes.empty());
}

TEST_F(SeenFeed, many_rows_of_others_are_passed_over) {
  stand_.run(stand_.index().write([](index::Batch& batch) {
    for (int i = 0; i < 2500; ++i) {
      put_tag(batch, "other", "v" + std::to_string(i), feed_image);
    }
    put_tag(batch, "team/app", "v1", feed_image);
  }));
  auto feed = seen_by_team();
  const auto page = stand_.run(feed.changes({}, 0, 100, 0ms));
  EXPECT_THAT(told(page.value()), testing::ElementsAre("2501 team/app"));
}

TEST_F(SeenFeed, a_page_of_many_tags_and_manifests_is_walked_whole) {
  stand_.run(stand_.index().write([](index::Batch& batch) {
    for (int i = 0; i < 2300; ++i) {
      const auto text = std::to_string(i);
      index::put_manifest(batch, name("a" + std::to_string(i % 3)), index::RepositoryKind::local,
                          digest_of(text), text, plain_manifest(), moment(1));
      put_tag(batch, "a1", "v" + text, digest_of(text));
    }
  }));
  EXPECT_EQ(count_of(stand_.run(stand_.feed().summaries({}, {""})).value().front()), 4600U);
  EXPECT_EQ(stand_.run(stand_.feed().items({}, {""})).value().size(), 4600U);
}

registry::SummaryShelf::Tree tree_of(std::size_t items) {
  return std::make_shared<const registry::SummaryTree>(std::vector<registry::SummaryLeaf>(items));
}

TEST(SummaryShelf, keeps_a_tree_until_the_journal_moves_or_a_minute_has_passed) {
  registry::SummaryShelf shelf;
  const ManualClock clock;
  const auto now = clock.steady();
  const auto tree = tree_of(1);
  shelf.put(feed_image, 7, now, tree);
  EXPECT_EQ(shelf.find(feed_image, 7, now + 59s), tree);
  EXPECT_EQ(shelf.find(feed_image, 8, now), nullptr);
  EXPECT_EQ(shelf.find(feed_other, 7, now), nullptr);
  EXPECT_EQ(shelf.find(feed_image, 7, now + 60s), nullptr);
}

TEST(SummaryShelf, is_bounded_in_trees_and_in_items) {
  registry::SummaryShelf shelf(2000);
  const base::SteadyTime now;
  for (int i = 0; i < 9; ++i) shelf.put(digest_of(std::to_string(i)), 1, now, tree_of(1));
  EXPECT_EQ(shelf.find(digest_of("0"), 1, now), nullptr);
  EXPECT_NE(shelf.find(digest_of("1"), 1, now), nullptr);
  shelf.put(feed_image, 1, now, tree_of(1500));
  shelf.put(feed_other, 1, now, tree_of(1500));
  EXPECT_EQ(shelf.find(feed_image, 1, now), nullptr);
  EXPECT_EQ(shelf.find(digest_of("8"), 1, now), nullptr);
  EXPECT_NE(shelf.find(feed_other, 1, now), nullptr) << "the one that was just asked for stays";
}

}  // namespace
}  // namespace entrepot::test::local_feed_test
