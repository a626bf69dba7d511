#include <gtest/gtest.h>

#include "replication/compiled_rule.hpp"
#include "support/words.hpp"
#include "time_zone.hpp"

namespace entrepot::replication::rule_test {
namespace {

using test::name;
using test::tag;

Rule rule() { return {.name = "r", .from = "paris"}; }

TEST(Renaming, GivesNames) {
  const std::tuple<const char*, const char*, const char*> table[] = {
      {"{repository}", "a/b/c", "a/b/c"},
      {"paris/{repository}", "a/b", "paris/a/b"},
      {"{path}/x/{name}", "a/b/c", "a/b/x/c"},
      {"{path}/{name}", "c", "c"},
      {"all", "a/b", "all"},
      {"x/{path}/{name}", "c", "x/c"},
      {"{name}-copy", "a/b", "b-copy"},
  };
  for (const auto& [text, from, to] : table) {
    EXPECT_EQ(Renaming(text).apply(name(from)), name(to)) << text << " of " << from;
  }
  EXPECT_FALSE(Renaming("x/{path}").apply(name("c")));
  EXPECT_FALSE(
      Renaming("{repository}/{repository}/{repository}").apply(name(std::string(100, 'a'))));
  EXPECT_EQ(Renaming("{repository}").prefix(), "");
  EXPECT_EQ(Renaming("a/b/{repository}").prefix(), "a/b/");
  EXPECT_EQ(Renaming("a{repository}").prefix(), std::nullopt);
  EXPECT_EQ(Renaming("{name}").prefix(), std::nullopt);
}

TEST(Renaming, SaysWhatItCannotRead) {
  for (const char* text : {"", "{", "{}", "{tag}", "{repository", "A/{name}", "/{name}", "{name}/",
                           "{path}{", "a b"}) {
    EXPECT_THROW(Renaming{text}, std::invalid_argument) << text;
  }
}

TEST(CompiledRule, CoversByGlobsExpressionsAndRanges) {
  auto words = rule();
  words.repositories = {Glob{"team/*"}, Regex{"lib-[a-z]+"}};
  words.without_repositories = {Glob{"team/secret"}};
  words.tags = {SemverRange{"^1.4"}, Glob{"stable"}, Regex{"r\\d+"}};
  words.without_tags = {Glob{"1.5*"}};
  const CompiledRule compiled(words);
  for (const char* in : {"team/a", "lib-x"}) EXPECT_TRUE(compiled.covers(name(in))) << in;
  for (const char* out : {"team/secret", "team/a/b", "lib-x/y", "my/lib-x"}) {
    EXPECT_FALSE(compiled.covers(name(out))) << out;
  }
  for (const char* in : {"1.4.0", "v1.9", "stable", "r12"}) {
    EXPECT_TRUE(compiled.covers(tag(in))) << in;
  }
  for (const char* out : {"1.3", "1.5.1", "latest", "r12x", "2.0.0"}) {
    EXPECT_FALSE(compiled.covers(tag(out))) << out;
  }
  EXPECT_FALSE(compiled.named());
  EXPECT_FALSE(compiled.summarized());
}

TEST(CompiledRule, ChoosesTheNewestOfWhatItCovers) {
  auto words = rule();
  words.tags = {SemverRange{"1.x"}};
  words.newest = Newest{2};
  const auto chosen = CompiledRule(words).choose(
      {tag("1.2.0"), tag("1.10.0"), tag("2.0.0"), tag("1.9.0"), tag("latest")});
  EXPECT_EQ(chosen, (std::vector{tag("1.10.0"), tag("1.9.0")}));
}

TEST(CompiledRule, KnowsWhenItNeedsNoCatalog) {
  auto words = rule();
  words.repositories = {Glob{"library/alpine"}, Glob{"library/debian"}};
  const CompiledRule compiled(words);
  ASSERT_TRUE(compiled.named());
  EXPECT_EQ(*compiled.named(), (std::vector{name("library/alpine"), name("library/debian")}));
}

TEST(CompiledRule, KnowsWhichSummariesFit) {
  auto words = rule();
  words.repositories = {Glob{"team/**"}, Glob{"app"}};
  words.rename = "paris/{repository}";
  const CompiledRule compiled(words);
  EXPECT_EQ(compiled.summarized(), (std::vector<std::string>{"team/**", "app"}));
  EXPECT_EQ(compiled.source_of(name("paris/team/a")), name("team/a"));
  EXPECT_FALSE(compiled.source_of(name("lyon/team/a")));
  words.platforms = {"linux/amd64"};
  EXPECT_FALSE(CompiledRule(words).summarized());
}

TEST(CompiledRule, IsDue) {
  const test::TimeZone zone("UTC0");
  const auto now = test::utc("2026-01-01 12:00");
  auto words = rule();
  EXPECT_EQ(CompiledRule(words).due({}, now), std::nullopt);
  words.when = Every{std::chrono::minutes(10)};
  EXPECT_EQ(CompiledRule(words).due({}, now), now);
  EXPECT_EQ(CompiledRule(words).due(now - std::chrono::minutes(4), now),
            now + std::chrono::minutes(6));
  EXPECT_EQ(CompiledRule(words).due(now - std::chrono::hours(4), now), now);
  words.when = Cron{"0 3 * * *"};
  EXPECT_EQ(CompiledRule(words).due({}, now), test::utc("2026-01-02 03:00"));
}

template <class Change>
void refuses(Change change, const char* word) {
  auto words = rule();
  change(words);
  try {
    check(words);
    ADD_FAILURE() << "takes it: " << word;
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(word));
  }
}

TEST(CompiledRule, RefusesWithASentence) {
  refuses([](Rule& r) { r.name.clear(); }, "name");
  refuses([](Rule& r) { r.from = here; }, "from one place to another");
  refuses([](Rule& r) { r.repositories.clear(); }, "repositories");
  refuses([](Rule& r) { r.repositories = {Regex{"("}}; }, "regular expression \"(\"");
  refuses([](Rule& r) { r.repositories = {Glob{"UPPER"}}; }, "\"UPPER\" is no name");
  refuses([](Rule& r) { r.repositories = {Glob{"***"}}; }, "pattern \"***\"");
  refuses([](Rule& r) { r.tags.clear(); }, "tags");
  refuses([](Rule& r) { r.tags = {SemverRange{"abc"}}; }, "no range of versions");
  refuses([](Rule& r) { r.newest = Newest{0}; }, "newest");
  refuses([](Rule& r) { r.platforms = {"amd64"}; }, "platform");
  refuses([](Rule& r) { r.rename = "{x}"; }, "rename");
  refuses([](Rule& r) { r.when = Cron{"x"}; }, "cron");
  refuses([](Rule& r) { r.when = Every{}; }, "interval");
  refuses([](Rule& r) { r.windows = {{.days = 0}}; }, "window");
  refuses([](Rule& r) { r.limits.bytes_per_second = 0; }, "limit");
  refuses([](Rule& r) { r.to = "lyon", r.conflict = Conflict::target; }, "conflict");
  refuses([](Rule& r) { r.when = Follow{}, r.to = "lyon"; }, "follow");
  refuses([](Rule& r) { r.when = Follow{}, r.newest = Newest{1}; }, "newest");
  refuses([](Rule& r) { r.pulled_within.emplace(), r.deletions = Deletions::exact; }, "pulled");
}

}  // namespace
}  // namespace entrepot::replication::rule_test
