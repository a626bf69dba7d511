#include "auth/password_check.hpp"

#include <future>
#include <thread>

#include "unit/auth/gate_house.hpp"

namespace entrepot::auth::password_check_test {
namespace {

using std::chrono::seconds;
namespace asio = boost::asio;

struct Tally {
  int right = 0;
  int wrong = 0;
  int refused = 0;
};

struct PasswordChecks : testing::Test {
  bool ask(const std::string& name, const std::string& password,
           const std::string& remote = "192.0.2.1") {
    return test::run_task(checks.belong_together(users, name, password, remote));
  }

  async::Task<> count(std::string name, std::string password, std::string remote, Tally& tally) {
    try {
      const bool right = co_await checks.belong_together(users, name, password, remote);
      ++(right ? tally.right : tally.wrong);
    } catch (const oci::Refusal& refusal) {
      EXPECT_EQ(refusal.code, oci::ErrorCode::too_many_requests);
      EXPECT_TRUE(refusal.retry_after);
      ++tally.refused;
    }
  }

  GateHouse house;
  PasswordCheck checks{house.pool, house.clock};
  std::shared_ptr<const PasswordTable> users = std::make_shared<const PasswordTable>(
      *parse_htpasswd(entry("alice", "a-secret") + entry("bob", "b-secret")));
};

TEST_F(PasswordChecks, a_verdict_is_kept_for_a_minute) {
  EXPECT_TRUE(ask("alice", "a-secret"));
  EXPECT_FALSE(ask("alice", "b-secret"));
  EXPECT_EQ(checks.hashes_computed(), 2U);
  house.clock.advance(seconds(59));
  EXPECT_TRUE(ask("alice", "a-secret"));
  EXPECT_FALSE(ask("alice", "b-secret"));
  EXPECT_EQ(checks.hashes_computed(), 2U);
  house.clock.advance(seconds(2));
  EXPECT_TRUE(ask("alice", "a-secret"));
  EXPECT_EQ(checks.hashes_computed(), 3U);
  checks.forget_verdicts();
  EXPECT_TRUE(ask("alice", "a-secret"));
  EXPECT_EQ(checks.hashes_computed(), 4U);
}

// Rows: A-09
TEST_F(PasswordChecks, a_verdict_ends_with_the_entry_it_was_about) {
  EXPECT_TRUE(ask("alice", "a-secret"));
  users = std::make_shared<const PasswordTable>(*parse_htpasswd(entry("alice", "other")));
  EXPECT_FALSE(ask("alice", "a-secret"));
  EXPECT_TRUE(ask("alice", "other"));
  users = std::make_shared<const PasswordTable>();
  EXPECT_FALSE(ask("alice", "other"));
}

// Rows: A-11
TEST_F(PasswordChecks, a_name_that_is_not_there_costs_a_hash_too) {
  EXPECT_FALSE(ask("alice", "wrong"));
  EXPECT_EQ(checks.hashes_computed(), 1U);
  EXPECT_FALSE(ask("mallory", "wrong"));
  EXPECT_EQ(checks.hashes_computed(), 2U);
  EXPECT_FALSE(ask("mallory", "wrong"));
  EXPECT_EQ(checks.hashes_computed(), 2U) << "kept like a known name's verdict";
  // Whoever's entry stands in: its password opens nothing.
  EXPECT_FALSE(ask("mallory", "a-secret"));
  EXPECT_FALSE(ask("mallory", "b-secret"));
  EXPECT_FALSE(ask("", "a-secret"));
}

// Rows: A-13
TEST_F(PasswordChecks, guessing_stops_for_that_name_and_address_alone) {
  for (int i = 0; i < FailureLog::most_failures; ++i) {
    EXPECT_FALSE(ask("alice", "guess " + std::to_string(i), "203.0.113.9"));
  }
  const auto computed = checks.hashes_computed();
  const auto refusal = refusal_of([&] { ask("alice", "a-secret", "203.0.113.9"); });
  EXPECT_EQ(refusal.code, oci::ErrorCode::too_many_requests);
  ASSERT_TRUE(refusal.retry_after);
  EXPECT_GT(*refusal.retry_after, seconds(0));
  EXPECT_LE(*refusal.retry_after, FailureLog::window);
  EXPECT_EQ(checks.hashes_computed(), computed) << "refused without a hash";

  EXPECT_TRUE(ask("alice", "a-secret", "192.0.2.1"));
  EXPECT_TRUE(ask("bob", "b-secret", "203.0.113.9"));
  refusal_of([&] { ask("alice", "a-secret", "203.0.113.9"); });  // although that is known now
  house.clock.advance(FailureLog::window + seconds(1));
  EXPECT_TRUE(ask("alice", "a-secret", "203.0.113.9"));
}

// Rows: A-13
TEST_F(PasswordChecks, the_same_wrong_password_again_is_no_further_guess) {
  for (int i = 0; i < 3 * FailureLog::most_failures; ++i) EXPECT_FALSE(ask("alice", "old"));
  EXPECT_TRUE(ask("alice", "a-secret"));
}

// Rows: A-13
TEST_F(PasswordChecks, one_party_is_one_network_of_ipv6) {
  for (int i = 0; i < FailureLog::most_failures; ++i) {
    ask("alice", "guess " + std::to_string(i), "2001:db8:1:2::" + std::to_string(i + 1));
  }
  refusal_of([&] { ask("alice", "a-secret", "2001:db8:1:2:ffff::1"); });
  EXPECT_TRUE(ask("alice", "a-secret", "2001:db8:1:3::1"));
  EXPECT_NE(network_of("::ffff:192.0.2.1"), network_of("::ffff:192.0.2.2"));
  EXPECT_NE(network_of("192.0.2.1"), network_of("192.0.2.2"));
}

// Rows: A-12
TEST_F(PasswordChecks, a_flood_of_logins_is_refused_and_leaves_room_for_others) {
  EXPECT_TRUE(ask("bob", "b-secret"));
  asio::io_context context(1);
  Tally flood;
  Tally others;
  int running = 0;
  const auto start = [&](async::Task<> task) {
    ++running;
    async::spawn(context.get_executor(), std::move(task), "test", [&] { --running; });
  };
  for (int i = 0; i < 200; ++i) {
    const auto number = std::to_string(i);
    start(count("user" + number, "guess", "203.0.113.9", flood));
  }
  start(count("alice", "a-secret", "192.0.2.7", others));
  start(count("bob", "b-secret", "203.0.113.9", others));
  while (running > 0 && context.run_one() > 0) {
  }
  EXPECT_EQ(flood.wrong, static_cast<int>(HashQueue::longest_of_one_network));
  EXPECT_EQ(flood.refused, 200 - flood.wrong);
  EXPECT_EQ(others.right, 2);
}

// Rows: A-12
TEST_F(PasswordChecks, the_queue_of_all_together_ends_too) {
  asio::io_context context(1);
  Tally flood;
  int running = 0;
  for (int i = 0; i < 300; ++i) {
    ++running;
    async::spawn(
        context.get_executor(),
        count("user" + std::to_string(i), "guess", "203.0.113." + std::to_string(i), flood), "test",
        [&] { --running; });
  }
  while (running > 0 && context.run_one() > 0) {
  }
  EXPECT_EQ(flood.wrong, static_cast<int>(HashQueue::longest));
  EXPECT_EQ(flood.refused, 300 - flood.wrong);
  EXPECT_TRUE(ask("alice", "a-secret")) << "places are given back";
}

// Rows: A-12
TEST_F(PasswordChecks, equal_logins_at_once_are_one_hash_on_every_thread) {
  test::RunningRuntime runtime(3);
  std::vector<std::future<bool>> answers;
  for (std::size_t i = 0; i < 60; ++i) {
    answers.push_back(runtime.start(
        i % 3, checks.belong_together(users, "alice", "a-secret", "192.0.2." + std::to_string(i))));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_LE(checks.hashes_computed(), 3U);
}

TEST(ExpiringMaps, forget_the_oldest_when_full) {
  const base::SteadyTime now{};
  ExpiringMap<int> map(3);
  for (int i = 0; i < 5; ++i) map.put(std::to_string(i), i, now + seconds(10));
  EXPECT_EQ(map.size(), 3U);
  EXPECT_EQ(map.find("1", now), nullptr);
  ASSERT_NE(map.find("2", now), nullptr);
  map.put("2", 7, now + seconds(20));
  EXPECT_EQ(map.size(), 3U);
  EXPECT_EQ(*map.find("2", now + seconds(15)), 7);
  EXPECT_EQ(map.find("4", now + seconds(10)), nullptr);
  EXPECT_EQ(map.size(), 2U);
}

}  // namespace
}  // namespace entrepot::auth::password_check_test
