// What every registry::Feed promises. An implementation includes this file and instantiates the
// suite with a factory of FeedStands: a feed, and the index of the site it tells of.
//   INSTANTIATE_TEST_SUITE_P(Local, FeedContract, testing::Values(make_local_feed_stand));
#pragma once

#include <gmock/gmock.h>

#include <boost/asio/detached.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/index/collection.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/registry/feed.hpp"
#include "support/run_task.hpp"
#include "support/words.hpp"

namespace entrepot::test {

using namespace std::chrono_literals;

class FeedStand {
 public:
  virtual ~FeedStand() = default;
  virtual registry::Feed& feed() = 0;
  // Of the site the feed tells of; empty at first.
  virtual index::Index& index() = 0;

  template <class T>
  T run(async::Task<T> task) {
    return run_task(context_, std::move(task));
  }
  async::asio::io_context& context() { return context_; }

 private:
  async::asio::io_context context_{1};
};

using MakeFeedStand = std::function<std::unique_ptr<FeedStand>()>;

inline const auto feed_image = oci::Digest::of(oci::Algorithm::sha256, base::as_bytes("image"));
inline const auto feed_other = oci::Digest::of(oci::Algorithm::sha512, base::as_bytes("other"));

inline oci::Tag feed_tag(std::string_view text) { return oci::Tag::parse(text).value(); }
inline base::WallTime moment(std::int64_t milliseconds) {
  return base::WallTime(base::Milliseconds(milliseconds));
}

inline oci::Manifest plain_manifest() {
  oci::Manifest manifest;
  manifest.media_type = "x/y";
  return manifest;
}

inline void put_tag(index::Batch& batch, const std::string& repository, std::string_view tag,
                    const oci::Digest& digest, std::int64_t now = 1'000) {
  index::set_tag(batch, name(repository), feed_tag(tag), digest, moment(now), index::Cause::push,
                 "eve");
}

inline async::Task<> put_tag_later(index::Index& index, std::string repository) {
  co_await async::sleep_for(50ms);
  co_await index.write(
      [&](index::Batch& batch) { put_tag(batch, repository, "late", feed_image); });
}

class FeedContract : public testing::TestWithParam<MakeFeedStand> {
 protected:
  FeedContract() : stand_(GetParam()()) {}

  registry::Feed& feed() { return stand_->feed(); }
  template <class T>
  T run(async::Task<T> task) {
    return stand_->run(std::move(task));
  }
  template <class Work>
  auto write(Work work) {
    return stand_->run(stand_->index().write(std::move(work)));
  }
  template <class Work>
  auto read(Work work) {
    return stand_->run(stand_->index().read(std::move(work)));
  }
  // Fails the test when it is no answer.
  registry::FeedPage page(std::uint64_t since, std::size_t limit = 100,
                          registry::FeedScope scope = {}, std::chrono::milliseconds longest = 0ms) {
    auto answer = run(feed().changes(std::move(scope), since, limit, longest));
    if (answer) return std::move(*answer);
    ADD_FAILURE() << answer.error().message;
    return {};
  }
  registry::Summary summary(std::string prefix, registry::FeedScope scope = {}) {
    auto answer = run(feed().summaries(std::move(scope), {std::move(prefix)}));
    if (answer && answer->size() == 1) return std::move(answer->front());
    ADD_FAILURE() << (answer ? "not one summary" : answer.error().message);
    return {};
  }
  std::vector<std::string> items(std::vector<std::string> prefixes,
                                 registry::FeedScope scope = {}) {
    const auto answer = run(feed().items(std::move(scope), std::move(prefixes)));
    std::vector<std::string> found;
    if (!answer) ADD_FAILURE() << answer.error().message;
    for (const auto& item : answer.value_or(std::vector<registry::SummaryItem>())) {
      const auto reference = item.tag ? ":" + std::string(item.tag->text()) : "@";
      found.push_back(item.repository.text() + reference + " " + item.digest.text());
    }
    std::ranges::sort(found);
    return found;
  }

  std::unique_ptr<FeedStand> stand_;
};

inline std::vector<std::string> told(const registry::FeedPage& page) {
  std::vector<std::string> found;
  for (const auto& change : page.changes) {
    found.push_back(std::to_string(change.sequence) + " " + change.repository.text());
  }
  return found;
}

inline std::uint64_t count_of(const registry::Summary& summary) {
  std::uint64_t items = 0;
  for (const auto& child : summary.children) items += child.items;
  return items;
}

TEST_P(FeedContract, changes_come_in_order_and_in_pages) {
  EXPECT_EQ(page(0).newest, 0U);
  write([](index::Batch& batch) {
    for (int i = 0; i < 5; ++i) put_tag(batch, "app" + std::to_string(i), "v1", feed_image);
  });
  const auto first = page(0, 2);
  EXPECT_THAT(told(first), testing::ElementsAre("1 app0", "2 app1"));
  EXPECT_EQ(first.next, 2U);
  EXPECT_EQ(first.newest, 5U);
  EXPECT_FALSE(first.gap);
  EXPECT_THAT(told(page(2, 100)), testing::ElementsAre("3 app2", "4 app3", "5 app4"));
  const auto none = page(5);
  EXPECT_TRUE(none.changes.empty());
  EXPECT_EQ(none.next, 5U);
}

TEST_P(FeedContract, a_page_says_whose_journal_it_is_and_what_time_it_is_there) {
  const auto before = page(0);
  EXPECT_EQ(before.site, read(index::site_id));
  EXPECT_EQ(before.journal, read(index::journal_id));
  EXPECT_GT(before.now, moment(0));
  write(index::renew_journal);
  EXPECT_NE(page(0).journal, before.journal);
}

TEST_P(FeedContract, a_change_arrives_as_it_was_made) {
  write([](index::Batch& batch) {
    put_tag(batch, "app", "v1", feed_image, 7);
    put_tag(batch, "app", "v1", feed_other, 8);
    index::remove_tag(batch, name("app"), feed_tag("v1"), moment(9), index::Cause::deletion, "");
    index::record_manifest(batch, name("app"), feed_other, index::ManifestChange::removed,
                           moment(10), index::Cause::deletion, "Zoë \"the\" <admin>");
    index::link(batch, name("app"), index::RepositoryKind::local, feed_image, moment(1));
    index::apply_change(batch,
                        {.repository = name("app"),
                         .tag = feed_tag("v2"),
                         .to = feed_image,
                         .version = {moment(11), "another-site"},
                         .cause = index::Cause::rollback},
                        moment(12));
  });
  const auto here = read([](const index::View& view) { return index::changes(view, 0, 100); });
  const auto there = page(0).changes;
  ASSERT_EQ(there.size(), 5U);
  for (std::size_t i = 0; i < there.size(); ++i) {
    EXPECT_EQ(there[i].sequence, here[i].sequence);
    EXPECT_EQ(there[i].repository, here[i].repository) << i;
    EXPECT_EQ(there[i].tag, here[i].tag) << i;
    EXPECT_EQ(there[i].from, here[i].from) << i;
    EXPECT_EQ(there[i].to, here[i].to) << i;
    EXPECT_EQ(there[i].version, here[i].version) << i;
    EXPECT_EQ(there[i].cause, here[i].cause) << i;
    EXPECT_EQ(there[i].who, here[i].who) << i;
  }
}

TEST_P(FeedContract, who_waits_hears_of_a_change_at_once) {
  boost::asio::co_spawn(stand_->context(), put_tag_later(stand_->index(), "app"),
                        boost::asio::detached);
  EXPECT_THAT(told(page(0, 100, {}, 20s)), testing::ElementsAre("1 app"));
}

TEST_P(FeedContract, who_waits_in_vain_learns_how_far_it_came) {
  boost::asio::co_spawn(stand_->context(), put_tag_later(stand_->index(), "other"),
                        boost::asio::detached);
  const auto none = page(0, 100, {.repositories = {"app"}}, 1s);
  EXPECT_TRUE(none.changes.empty());
  EXPECT_EQ(none.next, 1U);
}

TEST_P(FeedContract, a_scope_is_globs_over_names_without_its_prefix) {
  write([](index::Batch& batch) {
    for (const auto* each : {"paris/a", "a", "paris/b/c", "paris2/a", "b/c"}) {
      put_tag(batch, each, "v1", feed_image);
    }
  });
  const registry::FeedScope all_of_paris{.prefix = "paris/"};
  EXPECT_THAT(told(page(0, 100, all_of_paris)), testing::ElementsAre("1 a", "3 b/c"));
  EXPECT_EQ(page(3, 100, all_of_paris).next, 5U);
  const registry::FeedScope some{.repositories = {"b/*", "x"}, .prefix = {}};
  EXPECT_THAT(told(page(0, 100, some)), testing::ElementsAre("5 b/c"));
  EXPECT_EQ(count_of(summary("", all_of_paris)), 2U);
  EXPECT_EQ(count_of(summary("", some)), 1U);
  EXPECT_THAT(items({""}, all_of_paris),
              testing::ElementsAre(testing::StartsWith("a:v1"), testing::StartsWith("b/c:v1")));
  const auto newest = run(feed().latest(all_of_paris, {{name("a"), feed_tag("v1")}}));
  ASSERT_TRUE(newest);
  ASSERT_EQ(newest->size(), 1U);
  EXPECT_EQ(newest->front().repository, name("a"));
  EXPECT_EQ(newest->front().sequence, 1U);
}

// Rows: N-10
TEST_P(FeedContract, who_missed_rows_is_told_and_goes_on_behind_them) {
  write([](index::Batch& batch) {
    put_tag(batch, "app", "v1", feed_image, 5);
    put_tag(batch, "app", "v2", feed_image, 50);
    index::drop_history(batch, moment(10), 100);
  });
  const auto missed = page(0);
  EXPECT_TRUE(missed.gap);
  EXPECT_TRUE(missed.changes.empty());
  EXPECT_EQ(missed.next, 2U);
  EXPECT_FALSE(page(1).gap);
  EXPECT_TRUE(page(9).gap) << "never were so many: an older copy was put back";
}

TEST_P(FeedContract, equal_content_has_equal_summaries_and_a_difference_is_found) {
  EXPECT_EQ(count_of(summary("")), 0U);
  write([](index::Batch& batch) {
    for (int i = 0; i < 300; ++i) {
      put_tag(batch, "app" + std::to_string(i % 7), "v" + std::to_string(i), feed_image);
    }
  });
  const auto before = summary("");
  EXPECT_EQ(count_of(before), 300U);
  write([](index::Batch& batch) {
    put_tag(batch, "app1", "v1", feed_other);
    put_tag(batch, "new", "v", feed_other);
  });
  EXPECT_NE(summary("").children, before.children);
  write([](index::Batch& batch) {
    put_tag(batch, "app1", "v1", feed_image);
    index::remove_tag(batch, name("new"), feed_tag("v"), moment(1), index::Cause::deletion);
  });
  EXPECT_EQ(summary("").children, before.children) << "not how it came, but what it is";
}

TEST_P(FeedContract, a_node_holds_what_its_children_hold) {
  write([](index::Batch& batch) {
    for (int i = 0; i < 200; ++i) put_tag(batch, "app", "v" + std::to_string(i), feed_image);
  });
  const std::string digits = "0123456789abcdef";
  std::vector<std::string> prefixes;
  for (const char digit : digits) prefixes.emplace_back(1, digit);
  const auto root = summary("");
  const auto parts = run(feed().summaries({}, prefixes));
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 16U);
  std::size_t listed = 0;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    EXPECT_EQ((*parts)[i].prefix, prefixes[i]);
    EXPECT_EQ(count_of((*parts)[i]), root.children[i].items);
    const auto here = items({prefixes[i]});
    EXPECT_EQ(here.size(), root.children[i].items);
    listed += here.size();
  }
  EXPECT_EQ(listed, 200U);
  EXPECT_EQ(items(prefixes), items({""}));
  EXPECT_EQ(count_of(summary("01234567")), 0U);
}

TEST_P(FeedContract, items_are_tags_and_manifests_with_their_versions) {
  const std::string bytes = "{}";
  const auto manifest = digest_of(bytes);
  write([&](index::Batch& batch) {
    index::put_manifest(batch, name("app"), index::RepositoryKind::local, manifest, bytes,
                        plain_manifest(), moment(1));
    index::put_blob(batch, feed_other, 3, moment(1));
    index::link(batch, name("app"), index::RepositoryKind::local, feed_other, moment(1));
    put_tag(batch, "app", "v1", manifest, 8);
  });
  EXPECT_THAT(items({""}),
              testing::ElementsAre("app:v1 " + manifest.text(), "app@ " + manifest.text()));
  EXPECT_EQ(count_of(summary("")), 2U);
  const auto site = read(index::site_id);
  write([&](index::Batch& batch) {
    index::record_manifest(batch, name("app"), manifest, index::ManifestChange::put, moment(9),
                           index::Cause::push);
  });
  const auto found = run(feed().items({}, {""}));
  ASSERT_TRUE(found);
  for (const auto& item : *found) {
    EXPECT_EQ(item.version, (index::Version{moment(item.tag ? 8 : 9), site}));
  }
}

TEST_P(FeedContract, the_latest_change_of_a_tag_may_be_its_removal) {
  write([](index::Batch& batch) {
    put_tag(batch, "app", "v1", feed_image, 5);
    put_tag(batch, "app", "gone", feed_image, 6);
    index::remove_tag(batch, name("app"), feed_tag("gone"), moment(7), index::Cause::deletion);
  });
  const auto found = run(feed().latest({}, {{name("app"), feed_tag("gone")},
                                            {name("app"), feed_tag("never")},
                                            {name("none"), feed_tag("v1")},
                                            {name("app"), feed_tag("v1")}}));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].tag, feed_tag("gone"));
  EXPECT_EQ((*found)[0].to, std::nullopt);
  EXPECT_EQ((*found)[0].version.time, moment(7));
  EXPECT_EQ((*found)[1].to, feed_image);
}

TEST_P(FeedContract, what_asks_for_too_much_is_refused) {
  const std::vector<std::string> prefixes(registry::most_summary_prefixes + 1, "a");
  EXPECT_FALSE(run(feed().summaries({}, prefixes)));
  EXPECT_FALSE(run(feed().items({}, prefixes)));
  EXPECT_FALSE(run(feed().summaries({}, {"123456789"})));
  EXPECT_FALSE(run(feed().summaries({}, {"A"})));
  const std::vector<registry::TagName> tags(registry::most_tags_asked + 1,
                                            {name("app"), feed_tag("v1")});
  EXPECT_FALSE(run(feed().latest({}, tags)));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FeedContract);

}  // namespace entrepot::test
