#include "entrepot/notify/notifier.hpp"

#include <gmock/gmock.h>

#include "notify/signature.hpp"
#include "unit/notify/post_house.hpp"

namespace entrepot::notify::notifier_test {
namespace {

using index::EventKind;
using test::reply;
using testing::ElementsAre;

class NotifierTest : public PostHouse {};

TEST_F(NotifierTest, tells_a_receiver_everything_in_order) {
  server_.on("POST /hook", reply(200, "{}"));
  start({receiver_at("ci", server_.url() + "/hook")});
  for (const auto* tag : {"v1", "v2", "v3"}) push(tag);
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 3; }));
  EXPECT_THAT(told("/hook"), ElementsAre("v1", "v2", "v3"));
  const auto request = server_.last();
  EXPECT_EQ(request.header("Content-Type"), "application/vnd.docker.distribution.events.v2+json");
  EXPECT_EQ(request.header("X-Entrepot-Signature"), "-");
  EXPECT_EQ(request.connection, 0);
  EXPECT_TRUE(comes_true([&] { return rows() == 0; }));
  EXPECT_TRUE(comes_true([&] {
    return has_metric(R"(entrepot_notifications_waiting{receiver="ci"} 0)") &&
           has_metric(R"(entrepot_notifications_total{outcome="delivered",receiver="ci"} 3)");
  }));
}

TEST_F(NotifierTest, signs_what_it_sends_and_keeps_the_secret) {
  server_.on("POST /hook", reply(204, ""));
  auto receiver = receiver_at("ci", server_.url() + "/hook");
  receiver.secret = "canary-of-the-secret";
  receiver.headers = {{"Authorization", "Bearer canary-of-the-header"}, {"X-Team", "a"}};
  start({receiver});
  push("v1");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 1; }));
  const auto request = server_.last();
  EXPECT_EQ(request.header("X-Entrepot-Signature"), signature(receiver.secret, request.body));
  EXPECT_EQ(request.header("Authorization"), "Bearer canary-of-the-header");
  EXPECT_EQ(request.header("X-Team"), "a");
  EXPECT_EQ(request.body.find("canary"), std::string::npos);
  EXPECT_FALSE(has_metric("canary"));
}

TEST_F(NotifierTest, tries_again_until_it_is_heard) {
  server_.on("POST /hook", reply(503, "later"), 1);
  server_.on("POST /hook", reply(302, "", {{"Location", server_.url() + "/other"}}), 1);
  server_.on("POST /hook", reply(200, ""));
  start({receiver_at("ci", server_.url() + "/hook")});
  push("v1");
  push("v2");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 4; }));
  EXPECT_THAT(told("/hook"), ElementsAre("v1", "v1", "v1", "v2"));
  EXPECT_EQ(server_.count("/other"), 0) << "a redirect was followed";
  EXPECT_TRUE(has_metric(R"(entrepot_notifications_total{outcome="failed",receiver="ci"} 2)"));
  const auto requests = server_.requests();
  EXPECT_EQ(requests[0].body, requests[2].body) << "the same event under two identities";
}

TEST_F(NotifierTest, keeps_nobody_waiting_for_a_dead_receiver) {
  server_.on("POST /dead", test::hang());
  server_.on("POST /alive", reply(200, ""));
  start({receiver_at("dead", server_.url() + "/dead"),
         receiver_at("alive", server_.url() + "/alive"),
         receiver_at("nowhere", "http://127.0.0.1:1/")});
  for (const auto* tag : {"v1", "v2", "v3"}) push(tag);
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /alive") == 3; }));
  EXPECT_EQ(server_.count("POST /dead"), 1);
  EXPECT_EQ(rows(), 3);
  EXPECT_TRUE(comes_true(
      [&] { return has_metric(R"(entrepot_notifications_waiting{receiver="dead"} 3)"); }));
}

TEST_F(NotifierTest, goes_on_where_it_was_after_a_restart) {
  server_.on("POST /hook", reply(200, ""), 2);
  start({receiver_at("ci", server_.url() + "/hook")});
  push("v1");
  push("v2");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 2; }));
  push("v3");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 3; }));  // refused with 404
  stop();
  push("v4");
  server_.on("POST /again", reply(200, ""));
  start({receiver_at("ci", server_.url() + "/again")});
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /again") == 2; }));
  EXPECT_THAT(told("/again"), ElementsAre("v3", "v4"));
}

TEST_F(NotifierTest, stops_amid_a_delivery) {
  server_.on("POST /hook", test::hang());
  start({receiver_at("ci", server_.url() + "/hook")});
  push("v1");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 1; }));
  const auto began = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
  EXPECT_EQ(rows(), 1);
}

TEST_F(NotifierTest, drops_what_waited_too_long) {
  server_.on("POST /hook", reply(200, ""));
  const auto now = base::system_clock().wall();
  happens({event_of(EventKind::push, "app", "old", now - std::chrono::days(8)),
           event_of(EventKind::push, "app", "new", now - std::chrono::days(6))});
  start({receiver_at("ci", server_.url() + "/hook")});
  ASSERT_TRUE(comes_true([&] { return rows() == 0; }));
  EXPECT_THAT(told("/hook"), ElementsAre("new"));
  EXPECT_TRUE(has_metric(R"(entrepot_notifications_total{outcome="expired",receiver="ci"} 1)"));
}

TEST_F(NotifierTest, passes_over_what_nobody_wants) {
  server_.on("POST /hook", reply(200, ""));
  auto receiver = receiver_at("ci", server_.url() + "/hook");
  receiver.repositories = {"team/*"};
  start({receiver});
  happens({event_of(EventKind::removal, "team/app", "gone"),
           event_of(EventKind::push, "private/app", "v1"),
           event_of(EventKind::push, "team/app", "v2")});
  ASSERT_TRUE(comes_true([&] { return rows() == 0; }));
  EXPECT_THAT(told("/hook"), ElementsAre("v2"));
}

TEST_F(NotifierTest, records_pulls_only_for_those_who_want_them) {
  server_.on("POST /hook", reply(200, ""));
  start({receiver_at("ci", server_.url() + "/hook")});
  EXPECT_TRUE(notifier().wanted(EventKind::pull));
  EXPECT_FALSE(notifier().wanted(EventKind::removal));
  for (const auto* tag : {"v1", "v2"}) notifier().pulled(event_of(EventKind::pull, "app", tag));
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 2; }));
  EXPECT_THAT(told("/hook"), ElementsAre("v1", "v2"));
  auto without = receiver_at("ci", server_.url() + "/hook");
  without.events = {EventKind::removal};
  notifier().replace({without});
  EXPECT_FALSE(notifier().wanted(EventKind::pull));
  EXPECT_TRUE(notifier().wanted(EventKind::removal));
  notifier().pulled(event_of(EventKind::pull, "app", "v3"));
  ASSERT_TRUE(comes_true([&] { return rows() == 0; }));
  stop();
  EXPECT_EQ(rows(), 0);
}

TEST_F(NotifierTest, writes_pulls_down_before_it_stops) {
  server_.on("POST /hook", test::hang());
  start({receiver_at("ci", server_.url() + "/hook")});
  push("v1");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 1; }));
  notifier().pulled(event_of(EventKind::pull, "app", "v2"));
  stop();
  EXPECT_EQ(rows(), 2);
}

TEST_F(NotifierTest, counts_pulls_it_has_no_room_for) {
  start({receiver_at("ci", "http://127.0.0.1:1/")});
  for (int i = 0; i < 4100; ++i) notifier().pulled(event_of(EventKind::pull, "app", "v"));
  EXPECT_TRUE(has_metric("entrepot_pull_events_dropped_total 4"));
}

TEST_F(NotifierTest, takes_new_receivers_while_it_runs) {
  server_.on("POST /old", reply(500, ""));
  server_.on("POST /new", reply(200, ""));
  start({receiver_at("ci", server_.url() + "/old"), receiver_at("gone", server_.url() + "/old")});
  push("v1");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /old") >= 2; }));
  server_.on("POST /late", reply(200, ""));
  notifier().replace(
      {receiver_at("ci", server_.url() + "/new"), receiver_at("late", server_.url() + "/late")});
  ASSERT_TRUE(comes_true([&] { return rows() == 0; })) << "a row waits for one who left";
  EXPECT_THAT(told("/new"), ElementsAre("v1"));
  EXPECT_THAT(told("/late"), ElementsAre());
  notifier().replace({});
  push("v2");
  ASSERT_TRUE(comes_true([&] { return rows() == 0; }));
  EXPECT_THAT(told("/new"), ElementsAre("v1"));
}

TEST_F(NotifierTest, a_new_receiver_misses_nothing_from_the_moment_it_was_taken) {
  server_.on("POST /late", reply(200, ""));
  start({});
  push("before");
  notifier().replace({receiver_at("late", server_.url() + "/late")});
  // Its task has had no turn yet.
  test::run_task(index_.write([](index::Batch& batch) {
    index::append_event(batch, event_of(EventKind::push, "team/app", "v1"));
  }));
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /late") == 1; }));
  EXPECT_THAT(told("/late"), ElementsAre("v1"));
}

TEST_F(NotifierTest, starts_over_when_the_index_is_another_one) {
  server_.on("POST /hook", reply(200, ""));
  write([](index::Batch& batch) { index::set_receiver_position(batch, "ci", 1000); });
  start({receiver_at("ci", server_.url() + "/hook")});
  ASSERT_TRUE(comes_true([&] {
    return read([](const index::View& view) { return index::receiver_position(view, "ci"); }) == 0;
  }));
  push("v1");
  ASSERT_TRUE(comes_true([&] { return server_.count("POST /hook") == 1; }));
}

}  // namespace
}  // namespace entrepot::notify::notifier_test
