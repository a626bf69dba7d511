#include "replication/waiting_list.hpp"

#include <gtest/gtest.h>

#include "entrepot/index/notes.hpp"
#include "rule_house.hpp"

namespace entrepot::replication::waiting_list_test {
namespace {

using test::name;

class WaitingLists : public RuleHouse {
 protected:
  WaitingList list() { return {facts_, metrics_, "r"}; }
  static std::vector<ItemName> items(unsigned count) {
    std::vector<ItemName> all;
    for (unsigned i = 0; i < count; ++i) all.push_back({name("team/app"), "v" + std::to_string(i)});
    return all;
  }
};

// Rows: N-10
TEST_F(WaitingLists, HoldTenThousandOverARestart) {
  {
    auto before = list();
    run(before.postponed(items(10'000), "the line is cut", clock_.wall(), Blame::line));
    run(before.failed({name("team/app"), "v7"}, "refused", clock_.wall(), Blame::item));
  }
  auto after = list();
  const auto found = run(after.items());
  ASSERT_EQ(found.size(), 10'000);
  const auto& seventh = found.at({name("team/app"), "v7"});
  EXPECT_EQ(seventh.tries, 1);
  EXPECT_EQ(seventh.error, "refused");
  EXPECT_EQ(found.at({name("team/app"), "v8"}).tries, 0);
  EXPECT_EQ(run(after.due(clock_.wall(), 256)).size(), 256);
  EXPECT_EQ(run(after.due(clock_.wall(), 20'000)).size(), 9'999);
  EXPECT_EQ(run(after.next_due()), clock_.wall());
  run(after.done(items(10'000)));
  EXPECT_EQ(run(after.next_due()), std::nullopt);
  auto last = list();
  EXPECT_TRUE(run(last.items()).empty());
}

// Rows: N-10
TEST_F(WaitingLists, BackOffEachOnItsOwn) {
  auto waiting = list();
  for (int i = 0; i < 12; ++i) {
    run(waiting.failed({name("a"), "1"}, "no", clock_.wall(), Blame::item));
    run(waiting.failed({name("c"), "1"}, "nobody there", clock_.wall(), Blame::line));
  }
  run(waiting.failed({name("b"), "1"}, "no", clock_.wall(), Blame::item));
  const auto all = run(waiting.items());
  const auto pause = [&](const char* repository) {
    return all.at({name(repository), "1"}).next_try - clock_.wall();
  };
  EXPECT_GE(pause("a"), std::chrono::minutes(30));
  EXPECT_LE(pause("a"), std::chrono::hours(1));
  EXPECT_GE(pause("b"), std::chrono::seconds(15));
  EXPECT_LE(pause("b"), std::chrono::seconds(30));
  EXPECT_GE(pause("c"), std::chrono::minutes(2));
  EXPECT_LE(pause("c"), std::chrono::minutes(5));
}

// Rows: N-10
TEST_F(WaitingLists, HurryWhatTheLineIsToBlameForAndNothingElse) {
  const auto later = clock_.wall() + std::chrono::minutes(5);
  {
    auto before = list();
    run(before.failed({name("a"), "cut"}, "nobody there", clock_.wall(), Blame::line));
    run(before.failed({name("a"), "full"}, "quota", clock_.wall(), Blame::item));
    run(before.postponed({{name("a"), "behind"}}, "put off", later, Blame::line));
  }
  auto waiting = list();
  EXPECT_TRUE(run(waiting.due(clock_.wall(), 10)).empty());
  EXPECT_EQ(run(waiting.hurry(clock_.wall())), 2) << "also over a restart";
  const auto due = run(waiting.due(clock_.wall(), 10));
  EXPECT_THAT(due, testing::ElementsAre(ItemName{name("a"), "behind"}, ItemName{name("a"), "cut"}));
  EXPECT_EQ(run(waiting.items()).at({name("a"), "cut"}).tries, 1);
  EXPECT_EQ(run(waiting.hurry(clock_.wall())), 0);
}

TEST_F(WaitingLists, TakeNoNoteOfAnother) {
  run(facts_.write([](index::Batch& batch) {
    for (const char* key : {"", "nothing", "UPPER 1", "a b c"}) {
      index::set_note(batch, "replication waiting r", key, "x");
    }
    index::set_note(batch, "replication waiting r", "a 1", "not a number");
    index::set_note(batch, "replication waiting other", "a 1", "1 2 z");
  }));
  auto waiting = list();
  EXPECT_TRUE(run(waiting.items()).empty());
  run(waiting.done({{name("a"), "unknown"}}));
}

}  // namespace
}  // namespace entrepot::replication::waiting_list_test
