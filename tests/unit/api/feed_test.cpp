// What a peer is told over /api/v1, and of what.
#include <gmock/gmock.h>

#include "entrepot/registry/feed_words.hpp"
#include "house_of_cards.hpp"

namespace entrepot::api::feed_test {
namespace {

using test::body_of;
using test::HouseOfCards;

auth::GateOptions teams() {
  auth::GateOptions options;
  options.rules = {test::rule({test::user("peer")}, auth::Right::pull, "team/**"),
                   test::rule({test::user("admin")}, auth::Right::admin, "**")};
  return options;
}

class ApiFeed : public testing::Test {
 protected:
  ApiFeed() : house_({.gate = teams()}) {
    for (const auto* each : {"team/app", "secret/app", "team/web"}) house_.hold(each);
  }
  std::vector<std::string> told(const std::string& query) {
    const auto page = registry::read_feed_page(body_of(house_.get("/api/v1/feed" + query)));
    std::vector<std::string> names;
    if (!page) ADD_FAILURE() << "no page";
    for (const auto& change : page.value_or(registry::FeedPage()).changes) {
      names.push_back(change.repository.text());
    }
    return names;
  }
  HouseOfCards house_;
};

// Rows: A-18
TEST_F(ApiFeed, a_peer_is_told_of_what_it_may_pull) {
  house_.who = "peer";
  EXPECT_THAT(told(""), testing::ElementsAre("team/app", "team/web"));
  EXPECT_THAT(told("?since=1"), testing::ElementsAre("team/web"));
  EXPECT_THAT(told("?repository=team/w*"), testing::ElementsAre("team/web"));
  EXPECT_THAT(told("?under=team%2F&n=1"), testing::ElementsAre("app"));
  const auto items = registry::read_items(body_of(house_.get("/api/v1/items")));
  ASSERT_TRUE(items);
  EXPECT_EQ(items->size(), 2U);
  const auto latest = house_.send("POST", "/api/v1/latest",
                                  R"({"tags":[["secret/app","held"],["team/app","held"]]})");
  ASSERT_EQ(latest.status, 200) << body_of(latest);
  EXPECT_EQ(registry::read_changes(body_of(latest)).value().size(), 1U);
  house_.who = "admin";
  EXPECT_EQ(told("").size(), 3U);
}

TEST_F(ApiFeed, summaries_are_of_the_nodes_asked_for) {
  house_.who = "peer";
  const auto reply = house_.get("/api/v1/summaries?prefix=,a,0123");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(*reply.headers.get("Cache-Control"), "no-store");
  const auto summaries = registry::read_summaries(body_of(reply));
  ASSERT_TRUE(summaries);
  ASSERT_EQ(summaries->size(), 3U);
  std::uint64_t items = 0;
  for (const auto& child : summaries->front().children) items += child.items;
  EXPECT_EQ(items, 2U);
  EXPECT_EQ(summaries->back().prefix, "0123");
}

TEST_F(ApiFeed, what_is_no_question_is_a_bad_request) {
  house_.who = "peer";
  for (const auto* target : {"/api/v1/feed?since=x", "/api/v1/feed?repository=***",
                             "/api/v1/summaries?prefix=XY", "/api/v1/items?prefix=123456789"}) {
    EXPECT_EQ(house_.get(target).status, 400) << target;
  }
  EXPECT_EQ(house_.send("POST", "/api/v1/latest", "{}").status, 400);
  EXPECT_EQ(house_.send("POST", "/api/v1/latest", std::string((1 << 20) + 1, ' ')).status, 400);
}

}  // namespace
}  // namespace entrepot::api::feed_test
