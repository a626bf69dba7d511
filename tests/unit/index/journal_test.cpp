// The Journal as others read it.
#include "entrepot/index/journal.hpp"

#include <gmock/gmock.h>

#include "entrepot/index/collection.hpp"
#include "index/keys.hpp"
#include "support/catalog_words.hpp"

namespace entrepot::index::journal_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto app = repo("app");
const auto latest = tag_of("latest");
const auto one = sha256("one");
const auto two = sha256("two");

std::vector<std::uint64_t> sequences(const std::vector<Change>& changes) {
  std::vector<std::uint64_t> found;
  for (const auto& change : changes) found.push_back(change.sequence);
  return found;
}

class JournalFeed : public Catalog {
 protected:
  void set(std::string_view name, const oci::Digest& digest, std::int64_t now,
           Cause cause = Cause::push) {
    write([&](Batch& batch) { set_tag(batch, repo(name), latest, digest, at(now), cause, "eve"); });
  }
  std::vector<std::uint64_t> after(std::uint64_t since, std::size_t limit = 100) {
    return read([&](const View& view) { return sequences(changes(view, since, limit)); });
  }
};
INSTANTIATE_TEST_SUITE_P(every, JournalFeed, testing::ValuesIn(test::index_kinds()),
                         test::kind_name);

TEST_P(JournalFeed, a_site_knows_itself_and_its_journal) {
  const auto ids =
      read([](const View& view) { return std::pair(site_id(view), journal_id(view)); });
  EXPECT_EQ(ids.first.size(), 32U);
  EXPECT_EQ(ids.second.size(), 32U);
  EXPECT_NE(ids.first, ids.second);
  write(found_site);
  EXPECT_EQ(read(site_id), ids.first);
  write(renew_journal);
  EXPECT_EQ(read(site_id), ids.first);
  EXPECT_NE(read(journal_id), ids.second);
}

// By hand, or by a disk: the history still leads to the older one.
TEST_P(JournalFeed, a_row_that_is_lost_leaves_what_stands_the_truth) {
  set("app", one, 5);
  set("app", two, 6);
  write([](Batch& batch) { batch.erase(Space::journal, Key().number(2)); });
  const auto standing = [](const View& view) { return latest_change(view, app, latest); };
  const auto found = read(standing);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->to, two);
  EXPECT_EQ(found->version.time, at(6));
  write([](Batch& batch) {
    remove_tag(batch, app, latest, at(7), Cause::deletion, "eve");
    batch.erase(Space::journal, Key().number(3));
  });
  EXPECT_FALSE(read(standing)) << "of the removal nobody knows any more";
}

TEST_P(JournalFeed, rows_say_what_changed_and_whose_version_it_has) {
  set("app", one, 5);
  set("app", two, 6);
  write([](Batch& batch) {
    remove_tag(batch, app, latest, at(7), Cause::deletion, "eve");
    record_manifest(batch, app, two, ManifestChange::removed, at(8), Cause::deletion, "eve");
  });
  const auto site = read(site_id);
  const auto rows = read([](const View& view) { return changes(view, 0, 100); });
  ASSERT_THAT(sequences(rows), ElementsAre(1U, 2U, 3U, 4U));
  EXPECT_EQ(rows[0].repository, app);
  EXPECT_EQ(rows[0].tag, latest);
  EXPECT_EQ(rows[0].from, std::nullopt);
  EXPECT_EQ(rows[0].to, one);
  EXPECT_EQ(rows[1].from, one);
  EXPECT_EQ(rows[1].version, (Version{at(6), site}));
  EXPECT_EQ(rows[2].to, std::nullopt);
  EXPECT_EQ(rows[2].cause, Cause::deletion);
  EXPECT_EQ(rows[2].who, "eve");
  EXPECT_EQ(rows[3].tag, std::nullopt);
  EXPECT_EQ(rows[3].from, two);
  EXPECT_EQ(rows[3].to, std::nullopt);
}

TEST_P(JournalFeed, mirrored_repositories_are_passed_over) {
  set("hub/app", one, 1, Cause::mirror);
  set("app", one, 2);
  set("hub/app", two, 3, Cause::mirror);
  write([](Batch& batch) {
    remove_tag(batch, repo("hub/app"), latest, at(4), Cause::removed_upstream);
  });
  EXPECT_THAT(after(0), ElementsAre(2U));
  EXPECT_THAT(after(2), IsEmpty());
  EXPECT_EQ(read(newest_change), 4U);
  read([](const View& view) {
    EXPECT_EQ(change_page(view, 0, 10, 10).next, 4U);
    const auto first = change_page(view, 0, 10, 1);
    EXPECT_THAT(first.changes, IsEmpty());
    EXPECT_EQ(first.next, 1U) << "it goes on where it ended";
    EXPECT_EQ(change_page(view, 4, 10, 10).next, 4U);
    EXPECT_EQ(change_page(view, 9, 10, 10).next, 9U) << "nobody is sent back";
    EXPECT_EQ(change_page(view, 1, 0, 10).next, 1U);
  });
}

TEST_P(JournalFeed, is_read_in_pages_of_any_size) {
  for (int i = 0; i < 9; ++i) {
    set("app", sha256(std::to_string(i)), i, i % 3 ? Cause::push : Cause::mirror);
  }
  for (std::size_t limit = 1; limit < 11; ++limit) {
    for (std::size_t look = 1; look < 11; ++look) {
      std::vector<std::uint64_t> met;
      std::uint64_t since = 0;
      while (since < 9) {
        const auto page =
            read([&](const View& view) { return change_page(view, since, limit, look); });
        ASSERT_GT(page.next, since);
        since = page.next;
        for (const auto& change : page.changes) met.push_back(change.sequence);
      }
      EXPECT_THAT(met, ElementsAre(2U, 3U, 5U, 6U, 8U, 9U)) << limit << " " << look;
    }
  }
}

// Rows: N-10
TEST_P(JournalFeed, who_stands_before_dropped_rows_learns_of_the_gap) {
  for (int i = 0; i < 5; ++i) set("app", sha256(std::to_string(i)), i == 1 ? 1000 : i);
  EXPECT_FALSE(read([](const View& view) { return dropped_after(view, 0); }));
  EXPECT_EQ(read(oldest_change), 1U);
  EXPECT_EQ(write([](Batch& batch) { return drop_history(batch, at(3), 100); }), 2U);
  EXPECT_THAT(after(0), ElementsAre(2U, 4U, 5U));
  EXPECT_EQ(read(oldest_change), 2U);
  read([](const View& view) {
    EXPECT_TRUE(dropped_after(view, 0));
    EXPECT_TRUE(dropped_after(view, 2)) << "row 3 is gone, too";
    EXPECT_FALSE(dropped_after(view, 3));
  });
  write([](Batch& batch) { drop_history(batch, at(9999), 100); });
  EXPECT_EQ(read(oldest_change), 0U);
  EXPECT_EQ(read(newest_change), 5U);
  EXPECT_TRUE(read([](const View& view) { return dropped_after(view, 4); }));
  EXPECT_FALSE(read([](const View& view) { return dropped_after(view, 5); }));
}

// Rows: K-01
TEST_P(JournalFeed, a_change_made_here_is_above_what_it_replaces_whatever_the_clock_says) {
  set("app", one, 1000);
  set("app", two, 10);
  EXPECT_EQ(read([](const View& view) { return tag(view, app, latest)->version.time; }), at(1001));
  write([](Batch& batch) { remove_tag(batch, app, latest, at(11), Cause::deletion); });
  set("app", two, 12);
  const auto record = read([](const View& view) { return *tag(view, app, latest); });
  EXPECT_EQ(record.version.time, at(1003)) << "above its removal";
  EXPECT_EQ(record.changed, at(12));
  set("app", two, 2000);
  EXPECT_EQ(read([](const View& view) { return tag(view, app, latest)->version; }), record.version)
      << "the same again is no change";
  set("app", one, 3000);
  EXPECT_EQ(read([](const View& view) { return tag(view, app, latest)->version.time; }), at(3000));
}

TEST_P(JournalFeed, the_newest_change_of_a_tag_is_found_also_when_it_is_gone) {
  const auto newest = [&] {
    return read([](const View& view) { return latest_change(view, app, latest); });
  };
  EXPECT_EQ(newest(), std::nullopt);
  set("app", one, 5);
  ASSERT_TRUE(newest());
  EXPECT_EQ(newest()->to, one);
  write([](Batch& batch) { drop_history(batch, at(100), 100); });
  ASSERT_TRUE(newest()) << "its row was dropped, but it stands";
  EXPECT_EQ(newest()->version, (Version{at(5), read(site_id)}));
  EXPECT_EQ(newest()->sequence, 0U);
  write([](Batch& batch) { remove_tag(batch, app, latest, at(6), Cause::deletion); });
  ASSERT_TRUE(newest());
  EXPECT_EQ(newest()->to, std::nullopt);
  EXPECT_EQ(newest()->version.time, at(6));
  write([](Batch& batch) { drop_history(batch, at(100), 100); });
  EXPECT_EQ(newest(), std::nullopt);
}

TEST_P(JournalFeed, a_manifest_has_a_history_of_its_own) {
  const auto version = [&] {
    return read([](const View& view) { return manifest_version(view, app, one); });
  };
  EXPECT_EQ(version(), std::nullopt);
  write([](Batch& batch) {
    record_manifest(batch, app, one, ManifestChange::put, at(10), Cause::push);
    record_manifest(batch, app, sha512("x"), ManifestChange::put, at(90), Cause::push);
    record_manifest(batch, app, one, ManifestChange::removed, at(9), Cause::deletion);
  });
  ASSERT_TRUE(version());
  EXPECT_EQ(version()->time, at(11));
  read([](const View& view) {
    EXPECT_EQ(hold_of(view, app, one, at(0)), Hold::none) << "no tag ever left it";
    EXPECT_THAT(tag_changes(view, app, latest, 0, 10), IsEmpty());
  });
  EXPECT_EQ(write([](Batch& batch) { return drop_history(batch, at(100), 100); }), 3U);
  EXPECT_EQ(version(), std::nullopt);
}

}  // namespace
}  // namespace entrepot::index::journal_test
