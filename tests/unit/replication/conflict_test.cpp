#include "replication/conflict.hpp"

#include <gtest/gtest.h>

#include "support/words.hpp"

namespace entrepot::replication::conflict_test {
namespace {

using index::Cause;

constexpr const char* us = "replication:r";

index::TagChange change(Cause cause, const std::string& who, std::optional<std::string> to) {
  index::TagChange made{
      .sequence = 1, .time = {}, .cause = cause, .who = who, .from = {}, .to = {}};
  if (to) made.to = test::digest_of(*to);
  return made;
}
index::TagChange ours(std::optional<std::string> to) { return change(Cause::replication, us, to); }
index::TagChange theirs(std::optional<std::string> to) {
  return change(Cause::push, "alice", std::move(to));
}
index::Version version(int time) {
  return {.time = base::WallTime(base::Milliseconds(time)), .site = "x"};
}

struct Case {
  const char* what;
  std::vector<index::TagChange> history;  // newest first
  Verdict newest;
  Verdict source;
  Verdict target;
};

// The source has "new".
// Rows: N-11
TEST(Conflict, IsJudgedByWhoChangedTheTagLast) {
  constexpr auto take = Verdict::take;
  constexpr auto stay = Verdict::stay;
  const Case table[] = {
      {"never here", {}, take, take, take},
      {"brought before", {ours("old")}, take, take, take},
      {"pushed here, never brought", {theirs("mine")}, stay, take, stay},
      {"pushed over what was brought and still is",
       {theirs("mine"), ours("new")},
       stay,
       take,
       stay},
      {"both went on", {theirs("mine"), ours("old")}, take, take, stay},
      {"deleted here after it was brought", {theirs({}), ours("new")}, stay, take, stay},
      {"deleted by this rule", {ours({}), ours("new")}, take, take, take},
      {"of another rule",
       {change(Cause::replication, "replication:other", "mine")},
       stay,
       take,
       take},
  };
  for (const auto& row : table) {
    Difference difference{.actor = us, .source = test::digest_of("new"), .history = row.history};
    difference.policy = Conflict::newest;
    EXPECT_EQ(judge(difference), row.newest) << row.what;
    difference.policy = Conflict::source;
    EXPECT_EQ(judge(difference), row.source) << row.what;
    difference.policy = Conflict::target;
    EXPECT_EQ(judge(difference), row.target) << row.what;
  }
}

// Rows: N-11
TEST(Conflict, GoesByVersionsWhereTheyAreKnown) {
  Difference difference{.policy = Conflict::newest,
                        .actor = us,
                        .source = test::digest_of("new"),
                        .version = version(10),
                        .history = {theirs("mine")},
                        .ours = version(9)};
  EXPECT_EQ(judge(difference), Verdict::take);
  difference.ours = version(11);
  EXPECT_EQ(judge(difference), Verdict::stay);
}

}  // namespace
}  // namespace entrepot::replication::conflict_test
