#include "entrepot/registry/feed_words.hpp"

#include <gmock/gmock.h>

#include "support/words.hpp"

namespace entrepot::registry::feed_words_test {
namespace {

using test::digest_of;
using test::name;
using test::tag;

index::Version version(std::int64_t time, std::string site) {
  return {base::WallTime(base::Milliseconds(time)), std::move(site)};
}

FeedPage full_page() {
  FeedPage page;
  page.site = "here";
  page.journal = "j1";
  page.next = 8;
  page.newest = ~std::uint64_t{0};
  page.now = version(1'763'000'000'000, "").time;
  page.changes = {{.sequence = 7,
                   .repository = name("team/app"),
                   .tag = tag("v1"),
                   .from = digest_of("a"),
                   .to = digest_of("b"),
                   .version = version(5, "here"),
                   .cause = index::Cause::push,
                   .who = "alice"},
                  {.sequence = 8,
                   .repository = name("team/app"),
                   .tag = std::nullopt,
                   .from = digest_of("a"),
                   .to = std::nullopt,
                   .version = version(6, "there"),
                   .cause = index::Cause::deletion,
                   .who = ""}};
  return page;
}

TEST(FeedWords, a_page_is_compact) {
  const auto a = digest_of("a").text();
  const auto b = digest_of("b").text();
  EXPECT_EQ(to_json(full_page()),
            R"({"site":"here","journal":"j1","next":8,"newest":18446744073709551615,)"
            R"("now":1763000000000,"changes":[)"
            R"({"n":7,"r":"team/app","t":"v1","f":")" +
                a + R"(","d":")" + b + R"(","v":5,"w":"alice"},{"n":8,"r":"team/app","f":")" + a +
                R"(","v":6,"s":"there","c":"deletion"}]})");
  auto gap = full_page();
  gap.changes.clear();
  gap.gap = true;
  EXPECT_THAT(to_json(gap), testing::HasSubstr(R"("gap":true)"));
}

TEST(FeedWords, a_page_comes_back_as_it_was) {
  const auto back = read_feed_page(to_json(full_page()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->site, "here");
  EXPECT_EQ(back->journal, "j1");
  EXPECT_EQ(back->newest, ~std::uint64_t{0});
  EXPECT_FALSE(back->gap);
  EXPECT_EQ(to_json(*back), to_json(full_page()));
  auto gap = full_page();
  gap.gap = true;
  EXPECT_TRUE(read_feed_page(to_json(gap))->gap);
}

// One text, and words in it to be replaced by others, each of which spoils it.
struct Spoiled {
  std::string from;
  std::string to;
};

void expect_refused(const std::string& text, const std::vector<Spoiled>& cases, auto read) {
  ASSERT_TRUE(read(text)) << text;
  for (const auto& each : cases) {
    auto spoiled = text;
    const auto at = spoiled.find(each.from);
    ASSERT_NE(at, text.npos) << each.from;
    spoiled.replace(at, each.from.size(), each.to);
    EXPECT_FALSE(read(spoiled)) << spoiled;
  }
  for (const auto* none : {"", "{", "[]", "7", "{}", "null"}) EXPECT_FALSE(read(none)) << none;
  EXPECT_FALSE(read(text + "x"));
  EXPECT_FALSE(read(std::string(most_feed_bytes, ' ') + text));
}

TEST(FeedWords, a_page_that_is_not_as_it_must_be_is_none) {
  expect_refused(to_json(full_page()),
                 {{R"("site":"here")", R"("site":7)"},
                  {R"("site":"here")", R"("site":"he re")"},
                  {R"("site":"here")", R"("site":")" + std::string(65, 'x') + "\""},
                  {R"("journal":"j1")", R"("journal":null)"},
                  {R"("next":8)", R"("next":-8)"},
                  {R"("next":8)", R"("next":8.5)"},
                  {R"("now":1763000000000)", R"("now":253402214400001)"},
                  {R"("n":7)", R"("n":"7")"},
                  {R"("r":"team/app")", R"("r":"Team/app")"},
                  {R"("r":"team/app")", R"("r":"../app")"},
                  {R"("t":"v1")", R"("t":"-v1")"},
                  {R"("t":"v1")", R"("t":null)"},
                  {R"("d":"sha256:)", R"("d":"sha256:0)"},
                  {R"("v":5)", R"("v":-5)"},
                  {R"("v":5)", R"("v":18446744073709551615)"},
                  {R"("s":"there")", R"("s":"th\u0000ere")"},
                  {R"("c":"deletion")", R"("c":"superseded")"},
                  {R"("c":"deletion")", R"("c":"mirror")"},
                  {R"("w":"alice")", R"("w":7)"},
                  {R"("w":"alice")", R"("w":")" + std::string(1025, 'x') + "\""},
                  {R"("f":")" + digest_of("a").text() + R"(","v":6)", R"("v":6)"}},
                 &read_feed_page);
  auto many = full_page();
  many.changes.resize(most_feed_changes + 1, many.changes.front());
  EXPECT_FALSE(read_feed_page(to_json(many)));
  many.changes.pop_back();
  EXPECT_TRUE(read_feed_page(to_json(many)));
}

TEST(FeedWords, summaries_come_back_as_they_were) {
  Summary summary{.prefix = "0a"};
  summary.children[3] = {.items = 9, .sum = {1, ~std::uint64_t{0}}};
  const std::vector summaries{summary, Summary{.prefix = ""}};
  const auto text = to_json(summaries);
  EXPECT_THAT(
      text, testing::StartsWith(
                R"({"summaries":[{"p":"0a","c":[0,0,0,[9,"0000000000000001ffffffffffffffff"],0,)"));
  const auto back = read_summaries(text);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ(back->front().children, summary.children);
  EXPECT_EQ(back->front().prefix, "0a");
  EXPECT_EQ(back->back().children, Summary{}.children);
  expect_refused(text,
                 {{R"("p":"0a")", R"("p":"0A")"},
                  {R"("p":"0a")", R"("p":"123456789")"},
                  {"[0,0,0,", "[0,0,0,0,"},
                  {"[0,0,0,", "[0,0,1,"},
                  {"[9,", "[0,"},
                  {"[9,", "[-9,"},
                  {"ffff\"", "fff\""},
                  {"ffff\"", "fffg\""},
                  {"ffff\"", "fff-\""}},
                 &read_summaries);
}

TEST(FeedWords, items_and_changes_come_back_as_they_were) {
  const std::vector<SummaryItem> items{
      {name("a"), tag("v1"), digest_of("x"), version(1, "one")},
      {name("a"), std::nullopt, digest_of("x"), version(2, "two")},
      {name("b"), std::nullopt, digest_of("x"), {}},
  };
  const auto back = read_items(to_json(items));
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), to_json(items));
  EXPECT_EQ((*back)[1].version, version(2, "two"));
  EXPECT_EQ((*back)[2].version, index::Version{});
  EXPECT_TRUE(read_items(to_json(std::vector<SummaryItem>()))->empty());
  expect_refused(to_json(items),
                 {{R"("site":"one")", R"("site":1)"},
                  {R"("t":"v1")", R"("t":"")"},
                  {R"("r":"a")", R"("r":"")"}},
                 &read_items);

  const auto changes = full_page().changes;
  const auto again = read_changes(to_json(changes));
  ASSERT_TRUE(again);
  EXPECT_EQ(to_json(*again), to_json(changes));
}

TEST(FeedWords, questions_come_back_as_they_were) {
  const FeedQuestion question{.scope = {.repositories = {"a/**", "b"}, .prefix = "paris/"},
                              .since = 1'000'000,
                              .limit = 5,
                              .wait = std::chrono::seconds(30)};
  const auto back = read_feed_question(to_query(question));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->scope.repositories, question.scope.repositories);
  EXPECT_EQ(back->scope.prefix, "paris/");
  EXPECT_EQ(back->since, question.since);
  EXPECT_EQ(back->limit, question.limit);
  EXPECT_EQ(back->wait, question.wait);

  using Prefixes = std::vector<std::string>;
  for (const auto& prefixes : {Prefixes{""}, Prefixes{"a", "", "01234567"}}) {
    const auto nodes = read_nodes_question(to_query(NodesQuestion{{}, prefixes}));
    ASSERT_TRUE(nodes) << nodes.error();
    EXPECT_EQ(nodes->prefixes, prefixes);
    EXPECT_EQ(nodes->scope.repositories, FeedScope{}.repositories);
  }

  const LatestQuestion latest{.scope = question.scope, .tags = {{name("a/b"), tag("v1")}}};
  const auto tags = read_latest_question(to_json(latest));
  ASSERT_TRUE(tags) << tags.error();
  EXPECT_EQ(to_json(*tags), to_json(latest));
  EXPECT_EQ(tags->tags.front().repository, name("a/b"));
}

TEST(FeedWords, a_question_of_few_words_means_everything) {
  const auto question = read_feed_question({});
  ASSERT_TRUE(question);
  EXPECT_EQ(question->scope.repositories, FeedScope{}.repositories);
  EXPECT_EQ(question->limit, most_feed_changes);
  EXPECT_EQ(question->wait.count(), 0);
  EXPECT_EQ(read_nodes_question({})->prefixes, std::vector<std::string>{""});
  EXPECT_EQ(read_feed_question({{"wait", "99999"}})->wait, longest_feed_wait);
  EXPECT_EQ(read_feed_question({{"n", "99999"}})->limit, most_feed_changes);
  EXPECT_EQ(read_feed_question({{"n", "0"}})->limit, 1U);
}

TEST(FeedWords, what_is_no_question_is_told_why) {
  for (const FeedQuery& query : std::vector<FeedQuery>{{{"since", "-1"}},
                                                       {{"since", ""}},
                                                       {{"n", "many"}},
                                                       {{"wait", "1.5"}},
                                                       {{"repository", ""}},
                                                       {{"repository", "a***"}},
                                                       {{"repository", std::string(256, 'a')}},
                                                       {{"under", std::string(256, 'a')}},
                                                       FeedQuery(257, {"repository", "a"})}) {
    EXPECT_FALSE(read_feed_question(query)) << query.front().second;
  }
  EXPECT_FALSE(read_nodes_question({{"prefix", "xyz"}}));
  EXPECT_FALSE(read_nodes_question({{"prefix", std::string(256, ',')}}));
  EXPECT_TRUE(read_nodes_question({{"prefix", std::string(255, ',')}}));
  for (const auto* text :
       {"", "{}", R"({"tags":{}})", R"({"tags":[["a"]]})", R"({"tags":[["A","v"]]})",
        R"({"tags":[["a",7]]})", R"({"tags":[],"repositories":[7]})",
        R"({"tags":[],"repositories":["a***"]})"}) {
    EXPECT_FALSE(read_latest_question(text)) << text;
  }
  EXPECT_TRUE(read_latest_question(R"({"tags":[]})"));
}

}  // namespace
}  // namespace entrepot::registry::feed_words_test
