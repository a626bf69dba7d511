// How tags moved, by whom, and how that is forgotten.
#include <gmock/gmock.h>

#include "entrepot/index/collection.hpp"
#include "index/journal.hpp"
#include "support/catalog_words.hpp"

namespace entrepot::index::history_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto app = repo("app");
const auto latest = tag_of("latest");
const auto one = sha256("one");
const auto two = sha256("two");

class TagHistory : public Catalog {
 protected:
  void set(const oci::Digest& digest, std::int64_t now, std::string_view who = {}) {
    write([&](Batch& batch) { set_tag(batch, app, latest, digest, at(now), Cause::push, who); });
  }
  std::vector<std::uint64_t> sequences(std::uint64_t before, std::size_t limit) {
    std::vector<std::uint64_t> found;
    for (const auto& change :
         read([&](const View& view) { return tag_changes(view, app, latest, before, limit); })) {
      found.push_back(change.sequence);
    }
    return found;
  }
  std::size_t drop(std::int64_t before, std::size_t limit = 100) {
    return write([&](Batch& batch) { return drop_history(batch, at(before), limit); });
  }
};
INSTANTIATE_TEST_SUITE_P(every, TagHistory, testing::ValuesIn(test::index_kinds()),
                         test::kind_name);

// Rows: M-14
TEST_P(TagHistory, every_move_of_a_tag_is_told_newest_first) {
  set(one, 1, "alice");
  set(one, 2, "bob");
  set(two, 3, "bob");
  write([](Batch& batch) {
    set_tag(batch, app, tag_of("latest-1"), one, at(4), Cause::push, "carol");
    set_tag(batch, repo("app2"), latest, one, at(4), Cause::push, "carol");
    remove_tag(batch, app, latest, at(5), Cause::deletion, "dave");
    set_tag(batch, app, latest, one, at(6), Cause::rollback, "erin");
  });
  const auto moves = read([](const View& view) { return tag_changes(view, app, latest, 0, 10); });
  struct Expected {
    std::int64_t time;
    Cause cause;
    std::string who;
    std::optional<oci::Digest> from;
    std::optional<oci::Digest> to;
  };
  const std::vector<Expected> expected{
      {6, Cause::rollback, "erin", std::nullopt, one},
      {5, Cause::deletion, "dave", two, std::nullopt},
      {3, Cause::push, "bob", one, two},
      {1, Cause::push, "alice", std::nullopt, one},
  };
  ASSERT_EQ(moves.size(), expected.size());
  for (std::size_t i = 0; i < moves.size(); ++i) {
    EXPECT_EQ(moves[i].time, at(expected[i].time)) << i;
    EXPECT_EQ(moves[i].cause, expected[i].cause) << i;
    EXPECT_EQ(moves[i].who, expected[i].who) << i;
    EXPECT_EQ(moves[i].from, expected[i].from) << i;
    EXPECT_EQ(moves[i].to, expected[i].to) << i;
  }
  read([](const View& view) {
    EXPECT_THAT(tag_history(view, app, latest, 10), ElementsAre(two, one));
  });
}

TEST_P(TagHistory, is_read_in_pages) {
  for (int i = 0; i < 7; ++i) set(sha256(std::to_string(i)), i);
  EXPECT_THAT(sequences(0, 3), ElementsAre(7U, 6U, 5U));
  EXPECT_THAT(sequences(5, 3), ElementsAre(4U, 3U, 2U));
  EXPECT_THAT(sequences(2, 3), ElementsAre(1U));
  EXPECT_THAT(sequences(1, 3), IsEmpty());
  EXPECT_THAT(sequences(100, 1), ElementsAre(7U));
  EXPECT_THAT(sequences(0, 0), IsEmpty());
}

TEST_P(TagHistory, old_rows_are_dropped_some_at_a_time) {
  for (int i = 0; i < 7; ++i) set(sha256(std::to_string(i)), i);
  EXPECT_EQ(drop(5, 2), 2U);
  EXPECT_THAT(sequences(0, 9), ElementsAre(7U, 6U, 5U, 4U, 3U));
  EXPECT_EQ(drop(5, 100), 3U);
  EXPECT_EQ(drop(5, 100), 0U);
  EXPECT_EQ(drop(100, 0), 0U);
  EXPECT_THAT(sequences(0, 9), ElementsAre(7U, 6U));
  read([](const View& view) {
    EXPECT_THAT(tag_history(view, app, latest, 9), ElementsAre(sha256("5"), sha256("4")));
    const auto rows = journal(view, 0, 9);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows.front().sequence, 6U);
    EXPECT_EQ(tag(view, app, latest)->digest, sha256("6"));
  });
  set(one, 50);
  EXPECT_THAT(sequences(0, 1), ElementsAre(8U)) << "numbers are not used again";
}

// Rows: G-11, K-01
TEST_P(TagHistory, a_row_from_the_future_stays_and_stops_nothing) {
  set(one, 1);
  set(two, 1'000'000);
  set(one, 2);
  set(two, 3);
  EXPECT_EQ(drop(10), 3U);
  EXPECT_THAT(sequences(0, 9), ElementsAre(2U));
  EXPECT_EQ(read([](const View& view) { return hold_of(view, app, one, at(10)); }), Hold::history);
}

}  // namespace
}  // namespace entrepot::index::history_test
