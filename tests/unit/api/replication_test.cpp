// What the operator asks of replication under /api/v1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "house_of_cards.hpp"

namespace entrepot::api::replication_test {
namespace {

using test::body_of;
using test::HouseOfCards;
using testing::HasSubstr;

namespace json = boost::json;

class ReplicationApi : public testing::Test {
 protected:
  ReplicationApi() { house.via = http::Via::control_socket; }

  json::value ask(const std::string& method, const std::string& target) {
    const auto reply = house.ask(method, target);
    EXPECT_LT(reply.status, 300) << method << ' ' << target << body_of(reply);
    return json::parse(body_of(reply));
  }
  // A job's end.
  json::value sync(const std::string& query) {
    const auto started = ask("POST", "/api/v1/syncs?" + query);
    const auto id = std::to_string(started.at("job").to_number<int>());
    auto job = ask("GET", "/api/v1/jobs/" + id + "?wait=5");
    for (int i = 0; i < 10 && job.at("state").as_string() == "running"; ++i) {
      job = ask("GET", "/api/v1/jobs/" + id + "?wait=5");
    }
    return job;
  }

  HouseOfCards house;
};

TEST_F(ReplicationApi, rules_are_told_with_their_standing) {
  const auto rules = ask("GET", "/api/v1/replication").at("rules").as_array();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].at("rule").as_string(), "from-paris");
  EXPECT_EQ(rules[0].at("from").as_string(), "paris");
  EXPECT_EQ(rules[0].at("to").as_string(), "here");
  EXPECT_EQ(rules[0].at("waiting").as_int64(), 0);
  EXPECT_FALSE(rules[0].as_object().contains("last_error"));
  EXPECT_EQ(rules[1].at("to").as_string(), "bundle");
}

TEST_F(ReplicationApi, peers_are_told_with_the_rules_that_name_them) {
  const auto peers = ask("GET", "/api/v1/peers").at("peers").as_array();
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_TRUE(peers[0].at("reachable").as_bool());
  EXPECT_EQ(peers[0].at("newest").as_int64(), 7);
  EXPECT_EQ(peers[0].at("rules").as_array().at(0).at("rule").as_string(), "from-paris");
  EXPECT_FALSE(peers[1].at("reachable").as_bool());
  EXPECT_EQ(peers[1].at("error").as_string(), "broken: away");
  EXPECT_TRUE(peers[1].at("rules").as_array().empty());
}

TEST_F(ReplicationApi, a_rule_is_tried_and_run_as_a_job) {
  house.paris->add_image("web/app", 1, {"v1"});
  const auto tried = sync("rule=from-paris&dry_run=true");
  EXPECT_EQ(tried.at("state").as_string(), "done") << tried;
  EXPECT_EQ(tried.at("kind").as_string(), "sync from-paris");
  EXPECT_EQ(tried.at("lines").as_array().at(0).at("outcome").as_string(), "copy");
  EXPECT_TRUE(tried.at("summary").at("dry_run").as_bool());
  EXPECT_EQ(tried.at("summary").at("changed").as_int64(), 1);

  const auto run = sync("rule=from-paris");
  EXPECT_EQ(run.at("lines").as_array().at(0).at("outcome").as_string(), "copied") << run;
  EXPECT_FALSE(run.at("summary").at("dry_run").as_bool());
  EXPECT_EQ(run.at("summary").at("blobs_moved").as_int64(), 2);
}

TEST_F(ReplicationApi, a_rule_that_cannot_be_run_is_a_sentence) {
  const auto none = house.ask("POST", "/api/v1/syncs?rule=none");
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(body_of(none), HasSubstr("there is no rule called none"));
  EXPECT_EQ(house.ask("POST", "/api/v1/syncs").status, 400);
  EXPECT_EQ(house.get("/api/v1/replication/waiting?rule=none").status, 404);
  const auto bundle = house.ask("POST", "/api/v1/syncs?rule=to-island");
  EXPECT_EQ(bundle.status, 400);
  EXPECT_THAT(body_of(bundle), HasSubstr("for bundles"));
}

// Rows: N-10
TEST_F(ReplicationApi, what_failed_is_told_with_its_next_try) {
  house.paris->add_image("web/app", 1, {"v1"});
  house.here->judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("put_blob")) return std::nullopt;
    return registry::Failure{.kind = registry::FailureKind::denied,
                             .message = "the quota is used up"};
  };
  EXPECT_EQ(sync("rule=from-paris").at("summary").at("failed").as_int64(), 1);
  const auto waiting =
      ask("GET", "/api/v1/replication/waiting?rule=from-paris").at("waiting").as_array();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].at("repository").as_string(), "web/app");
  EXPECT_EQ(waiting[0].at("reference").as_string(), "v1");
  EXPECT_EQ(waiting[0].at("tries").as_int64(), 1);
  EXPECT_THAT(std::string(waiting[0].at("error").as_string()), HasSubstr("quota"));
}

}  // namespace
}  // namespace entrepot::api::replication_test
