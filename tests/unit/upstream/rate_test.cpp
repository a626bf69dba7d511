// What an upstream still allows, and how replication leaves it to people.
#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "unit/upstream/lab.hpp"
#include "upstream/rate_limit.hpp"

namespace entrepot::upstream::rate_test {
namespace {

using namespace std::chrono_literals;
using Cost = RateBudget::Cost;
using registry::FailureKind;

std::string read(std::vector<std::pair<std::string, std::string>> fields) {
  http::Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  const auto limit = parse_rate_limit(headers);
  if (!limit) return "-";
  return std::to_string(limit->remaining) + " of " +
         (limit->limit ? std::to_string(*limit->limit) : "?") + " in " +
         (limit->window ? std::to_string(limit->window->count()) : "?");
}

TEST(RateLimit, is_read_as_docker_hub_and_the_drafts_write_it) {
  EXPECT_EQ(read({{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "76;w=21600"}}),
            "76 of 100 in 21600");
  EXPECT_EQ(read({{"RateLimit-Limit", "100, 100;w=60"}, {"RateLimit-Remaining", "5"}}),
            "5 of 100 in 60");
  EXPECT_EQ(read({{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "30"}}), "0 of ? in 30");
  EXPECT_EQ(read({{"RateLimit-Remaining", "7;w=99999999999"}}), "7 of ? in 604800");
  EXPECT_EQ(read({{"RateLimit-Remaining", "7;w=0"}}), "7 of ? in ?");
  EXPECT_EQ(read({{"RateLimit-Limit", "100;w=21600"}}), "-");
  EXPECT_EQ(read({{"RateLimit-Remaining", "-1"}}), "-");
  EXPECT_EQ(read({{"RateLimit-Remaining", "many"}}), "-");
}

TEST(RateBudget, keeps_a_reserve) {
  test::ManualClock clock;
  RateBudget rate(clock);
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 20), std::nullopt);
  rate.heard("hub", {22, 100, 21600s});
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 20), std::nullopt);
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 20), std::nullopt);
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 20), 216s);  // one comes back so often
  EXPECT_EQ(rate.wait("hub", Cost::nothing, 20), std::nullopt);
  EXPECT_EQ(rate.wait("other", Cost::manifest, 20), std::nullopt);
  clock.advance(216s);
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 20), std::nullopt);  // finds out
  EXPECT_NE(rate.wait("hub", Cost::manifest, 20), std::nullopt);
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 0), std::nullopt);
  rate.heard("hub", {100, 100, 21600s});
  EXPECT_EQ(rate.wait("hub", Cost::manifest, 20), std::nullopt);
  EXPECT_EQ(rate.known("hub")->remaining, 99U);
}

TEST(RateBudget, lets_nothing_through_while_throttled) {
  test::ManualClock clock;
  RateBudget rate(clock);
  rate.throttled("hub", 30s);
  EXPECT_EQ(rate.wait("hub", Cost::nothing, 0), 30s);
  clock.advance(30s);
  EXPECT_EQ(rate.wait("hub", Cost::nothing, 0), std::nullopt);
}

class Reserve : public testing::Test, public Lab {
 protected:
  Reserve() {
    options.rate = std::make_shared<RateBudget>(base::system_clock());
    people.options.urls = options.urls;
    people.options.rate = options.rate;
    options.reserve = 20;
    options.lane =
        std::make_shared<http::Lane>(http::Lane{.priority = http::Priority::replication});
  }
  void remaining(int count) {
    const auto text = std::to_string(count) + ";w=21600";
    server.on(
        "GET",
        [text](test::Exchange& exchange) {
          test::reply(200, "{}",
                      {{"Content-Type", oci_type},
                       {"ratelimit-remaining", text},
                       {"ratelimit-limit", "100;w=21600"}})(exchange);
        },
        1);
  }

  Lab people;
};

// Rows: N-03
TEST_F(Reserve, is_for_people) {
  remaining(20);
  ASSERT_TRUE(people.run(people.remote().manifest(app(), at("v1"))));
  const auto mine = run(place().manifest(app(), at("v1")));
  ASSERT_FALSE(mine);
  EXPECT_EQ(mine.error().kind, FailureKind::throttled);
  EXPECT_GE(mine.error().retry_after, 60s);
  EXPECT_EQ(server.count("GET"), 1U);
  // A HEAD is not counted, and tells when there is more again.
  server.on("HEAD", test::reply(200, "{}",
                                {{"Content-Type", oci_type},
                                 {"Docker-Content-Digest", digest_of("{}").text()},
                                 {"ratelimit-remaining", "50;w=21600"}}));
  remaining(49);
  remaining(19);
  ASSERT_TRUE(run(place().resolve(app(), at("v1"))));
  ASSERT_TRUE(run(place().manifest(app(), at("v1"))));
  ASSERT_TRUE(people.run(people.remote().manifest(app(), at("v1"))));
  EXPECT_FALSE(run(place().manifest(app(), at("v1"))));
  remaining(0);
  EXPECT_TRUE(people.run(people.remote().manifest(app(), at("v1"))));
}

// Rows: N-03
TEST_F(Reserve, a_429_that_people_met_holds_for_replication) {
  server.on("GET", test::reply(429, "", {{"Retry-After", "30"}}), 1);
  ASSERT_FALSE(people.run(people.remote().manifest(app(), at("v1"))));
  const auto mine = run(place().resolve(app(), at("v1")));
  ASSERT_FALSE(mine);
  EXPECT_EQ(mine.error().kind, FailureKind::throttled);
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace entrepot::upstream::rate_test
