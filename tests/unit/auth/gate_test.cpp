#include "entrepot/auth/gate.hpp"

#include "unit/auth/gate_house.hpp"

namespace entrepot::auth::gate_test {
namespace {

using oci::ErrorCode;
using test::name;

struct Gates : testing::Test {
  GateHouse house;
};

TEST_F(Gates, who_sends_a_request) {
  const Gate gate(house.options_with_users(), house.pool, house.clock);
  EXPECT_EQ(house.identify(gate, "").proof, Proof::nothing);
  const auto alice = house.identify(gate, basic("alice", "a-secret"));
  EXPECT_EQ(alice.name, "alice");
  EXPECT_EQ(alice.proof, Proof::password);
  const auto machine = test::run_task(gate.identify({.client_certificate = "node-7"}));
  EXPECT_EQ(machine.name, "node-7");
  EXPECT_EQ(machine.proof, Proof::certificate);
  const auto op = test::run_task(gate.identify({.control_socket = true}));
  EXPECT_EQ(op.name, operator_name);
  EXPECT_FALSE(is_user_name(op.name)) << "nobody else may be called so (A-08)";
  const auto odd = test::run_task(gate.identify({.client_certificate = ":operator"}));
  EXPECT_EQ(odd.proof, Proof::nothing);
}

// Rows: A-19
TEST_F(Gates, a_refusal_does_not_say_what_was_wrong) {
  const Gate gate(house.options_with_users(), house.pool, house.clock);
  const auto known = house.refused(gate, basic("alice", "wrong"));
  EXPECT_EQ(known.code, ErrorCode::unauthorized);
  EXPECT_EQ(known.challenge, R"(Basic realm="entrepot", charset="UTF-8")");
  for (const auto& header : {basic("mallory", "wrong"), basic("", ""), std::string("Basic %%"),
                             std::string("Negotiate abc"), bearer("abc")}) {
    const auto other = house.refused(gate, header);
    EXPECT_EQ(other.code, known.code) << header;
    EXPECT_EQ(other.detail, known.detail) << header;
    EXPECT_EQ(other.challenge, known.challenge) << header;
  }
}

TEST_F(Gates, where_nobody_has_a_name_authorization_says_nothing) {
  const Gate gate(house.open_options(), house.pool, house.clock);
  for (const auto& header :
       {basic("hub-user", "hub-password"), bearer("abc"), std::string("Negotiate abc")}) {
    EXPECT_EQ(house.identify(gate, header).proof, Proof::nothing) << header;
  }
  EXPECT_NO_THROW(gate.require_for_ping({}));
  EXPECT_NO_THROW(gate.require({}, Right::pull, name("a")));
  const auto refusal = refusal_of([&] { gate.require({}, Right::push, name("a")); });
  EXPECT_EQ(refusal.code, ErrorCode::denied) << "no challenge could be met";
}

TEST_F(Gates, grants_what_the_rules_allow) {
  const Gate gate(house.options_with_users(), house.pool, house.clock);
  const auto alice = house.identify(gate, basic("alice", "a-secret"));
  const auto bob = house.identify(gate, basic("bob", "b-secret"));
  const auto grant = gate.require(alice, Right::push, name("team/a"));
  EXPECT_EQ(grant.principal().name, "alice");
  EXPECT_EQ(grant.right(), Right::push);
  EXPECT_NO_THROW(gate.require(bob, Right::pull, name("team/a")));
  EXPECT_EQ(refusal_of([&] { gate.require(bob, Right::push, name("team/a")); }).code,
            ErrorCode::denied);
  EXPECT_EQ(refusal_of([&] { gate.require(alice, Right::pull, name("other/a")); }).code,
            ErrorCode::denied);
  const auto refusal = refusal_of([&] { gate.require({}, Right::pull, name("team/a")); });
  EXPECT_EQ(refusal.code, ErrorCode::unauthorized);
  EXPECT_TRUE(refusal.challenge.starts_with("Basic "));
}

TEST_F(Gates, administration) {
  auto options = house.options_with_users();
  options.rules.push_back(rule({{Subject::Kind::user, "alice"}}, {"**"}, Right::admin));
  const Gate gate(options, house.pool, house.clock);
  const auto alice = house.identify(gate, basic("alice", "a-secret"));
  const auto bob = house.identify(gate, basic("bob", "b-secret"));
  const auto op = test::run_task(gate.identify({.control_socket = true}));
  EXPECT_NO_THROW(gate.require_admin(alice));
  EXPECT_NO_THROW(gate.require_admin(op));
  EXPECT_NO_THROW(gate.require(op, Right::remove, name("any/thing")));
  EXPECT_NO_THROW(gate.require_any(op));
  EXPECT_EQ(refusal_of([&] { gate.require_admin(bob); }).code, ErrorCode::denied);
  EXPECT_EQ(refusal_of([&] { gate.require_admin({}); }).code, ErrorCode::unauthorized);
}

TEST_F(Gates, ping_asks_for_a_name_when_that_leads_somewhere) {
  auto with_anonymous = house.options_with_users();
  with_anonymous.rules.push_back(rule({{}}, {"public/**"}, Right::pull));
  struct Case {
    const char* what;
    GateOptions options;
    std::string challenge;  // empty: none
  };
  auto both = house.options_with_tokens();
  both.rules.push_back(rule({{}}, {"**"}, Right::pull));
  const std::string token =
      R"(Bearer realm="https://registry.example/token",service="registry.example")";
  const Case cases[] = {
      {"nobody has a name", house.open_options(), ""},
      {"users only", house.options_with_users(), R"(Basic realm="entrepot", charset="UTF-8")"},
      {"users, and anonymous may pull", with_anonymous, ""},
      {"token server", house.options_with_tokens(), token},
      {"token server, and anonymous may pull", both, token},
  };
  for (const auto& each : cases) {
    const Gate gate(each.options, house.pool, house.clock);
    if (each.challenge.empty()) {
      EXPECT_NO_THROW(gate.require_for_ping({})) << each.what;
    } else {
      const auto refusal = refusal_of([&] { gate.require_for_ping({}); });
      EXPECT_EQ(refusal.code, ErrorCode::unauthorized) << each.what;
      EXPECT_EQ(refusal.challenge, each.challenge) << each.what;
    }
    if (!each.options.htpasswd) continue;
    EXPECT_NO_THROW(gate.require_for_ping(house.identify(gate, basic("bob", "b-secret"))));
  }
}

// Rows: A-18
TEST_F(Gates, lists_show_what_may_be_pulled) {
  const Gate gate(house.options_with_users(), house.pool, house.clock);
  const auto bob = house.identify(gate, basic("bob", "b-secret"));
  EXPECT_TRUE(gate.may_see(bob, name("team/a")));
  EXPECT_FALSE(gate.may_see(bob, name("other/a")));
  EXPECT_FALSE(gate.may_see({}, name("team/a")));
  EXPECT_NO_THROW(gate.require_any(bob));
  EXPECT_EQ(refusal_of([&] { gate.require_any({}); }).code, ErrorCode::unauthorized);
}

// Rows: A-09
TEST_F(Gates, what_is_taken_away_is_gone_with_the_next_request) {
  Gate gate(house.options_with_users(), house.pool, house.clock);
  const auto header = basic("alice", "a-secret");
  const auto alice = house.identify(gate, header);
  auto options = house.options_with_users();
  options.rules.erase(options.rules.begin());
  gate.reload(options);
  EXPECT_FALSE(gate.may(alice, Right::push, name("team/a")));
  house.write_users(entry("bob", "b-secret"));
  gate.reload(options);
  EXPECT_EQ(house.refused(gate, header).code, ErrorCode::unauthorized);
}

// Rows: A-09
TEST_F(Gates, a_removed_user_is_out_without_a_reload) {
  const Gate gate(house.options_with_users(), house.pool, house.clock);
  house.identify(gate, basic("alice", "a-secret"));
  house.write_users(entry("bob", "b-secret"));
  house.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(house.refused(gate, basic("alice", "a-secret")).code, ErrorCode::unauthorized);
}

// Rows: A-14
TEST_F(Gates, a_reload_that_fails_changes_nothing) {
  Gate gate(house.options_with_users(), house.pool, house.clock);
  auto bad = house.options_with_users();
  bad.rules = {rule({{Subject::Kind::group, "nobody"}}, {"**"}, Right::pull)};
  EXPECT_THROW(gate.reload(bad), std::runtime_error);
  house.write_users("alice:plain\n");
  EXPECT_THROW(gate.reload(house.options_with_users()), std::runtime_error);
  const auto alice = house.identify(gate, basic("alice", "a-secret"));
  EXPECT_TRUE(gate.may(alice, Right::push, name("team/a")));
}

TEST_F(Gates, a_password_by_itself) {
  const Gate gate(house.options_with_users(), house.pool, house.clock);
  const auto alice = test::run_task(gate.verify_password("alice", "a-secret", "192.0.2.1"));
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->name, "alice");
  EXPECT_FALSE(test::run_task(gate.verify_password("alice", "wrong", "192.0.2.1")));
  const Gate open(house.open_options(), house.pool, house.clock);
  EXPECT_FALSE(test::run_task(open.verify_password("alice", "a-secret", "192.0.2.1")));
}

async::Task<Principal> identify_again_and_again(const Gate& gate, std::string header) {
  Principal last;
  for (int i = 0; i < 200; ++i) {
    last = co_await gate.identify({.authorization = header, .remote = "192.0.2.1"});
    gate.may(last, Right::push, name("team/a"));
  }
  co_return last;
}

TEST_F(Gates, may_be_asked_and_reloaded_at_once) {
  Gate gate(house.options_with_tokens(), house.pool, house.clock);
  const auto alice = house.identify(gate, basic("alice", "a-secret"));
  const auto token = gate.issue(alice, "", {"repository:team/a:pull,push"});
  ASSERT_TRUE(token);
  test::RunningRuntime runtime(3);
  std::vector<std::future<Principal>> answers;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto header = i % 2 == 0 ? basic("alice", "a-secret") : bearer(token->token);
    answers.push_back(runtime.start(i % 3, identify_again_and_again(gate, header)));
  }
  for (int i = 0; i < 10; ++i) {
    gate.reload(house.options_with_tokens());
    house.clock.advance(std::chrono::seconds(2));
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get().name, "alice");
}

}  // namespace
}  // namespace entrepot::auth::gate_test
