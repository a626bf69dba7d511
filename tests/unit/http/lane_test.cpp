// Token buckets and priority on a line, by a clock that stands still.
#include "entrepot/http/lane.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/passage.hpp"
#include "support/manual_clock.hpp"
#include "support/metric.hpp"

namespace entrepot::http::lane_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::ceil;
using std::chrono::milliseconds;
using test::ManualClock;

constexpr std::uint64_t MB = 1'000'000;

std::uint64_t moved(const base::Metrics& metrics, const std::string& priority) {
  const auto row = "entrepot_line_bytes_total{priority=\"" + priority + "\"}";
  return static_cast<std::uint64_t>(test::value_of(metrics, row));
}

struct Take {
  milliseconds after;  // the take before
  std::uint64_t count;
  milliseconds wait;
};

struct BucketCase {
  const char* name;
  std::uint64_t per_second;
  std::vector<Take> takes;
};

TEST(TokenBucket, lets_go_what_its_rate_allows) {
  const BucketCase cases[] = {
      {"the first at once, the next when it is paid",
       1000,
       {{0ms, 500, 0ms}, {0ms, 1, 400ms}, {0ms, 1, 401ms}}},
      {"paid by time", 1000, {{0ms, 500, 0ms}, {200ms, 1, 200ms}, {201ms, 1, 0ms}}},
      {"saves a tenth of a second, no more",
       1000,
       {{1h, 100, 0ms}, {0ms, 100, 0ms}, {0ms, 100, 100ms}, {1h, 100, 0ms}, {0ms, 50, 0ms}}},
      {"a rate below one is one", 0, {{0ms, 1, 0ms}, {0ms, 1, 900ms}}},
      {"requests", 10, {{0ms, 1, 0ms}, {0ms, 1, 0ms}, {0ms, 1, 100ms}, {0ms, 1, 200ms}}},
      {"who takes nothing hears of the debt", 10, {{0ms, 11, 0ms}, {0ms, 0, 1000ms}}},
      {"far beyond a second", 64, {{0ms, 64'000'000'000, 0ms}, {0ms, 1, 999'999'999'900ms}}},
  };
  for (const auto& each : cases) {
    ManualClock clock;
    TokenBucket bucket(each.per_second, clock);
    for (std::size_t i = 0; i < each.takes.size(); ++i) {
      clock.advance(each.takes[i].after);
      EXPECT_EQ(ceil<milliseconds>(bucket.take(each.takes[i].count)), each.takes[i].wait)
          << each.name << " " << i;
    }
  }
}

// However it is asked, over ten seconds it is the rate and one burst.
TEST(TokenBucket, holds_its_rate) {
  for (const std::uint64_t piece : {1'000U, 16'384U, 65'536U, 262'144U}) {
    ManualClock clock;
    TokenBucket bucket(5 * MB, clock);
    const auto begin = clock.steady();
    std::uint64_t moved = 0;
    while (clock.steady() < begin + 10s) {
      clock.advance(ceil<milliseconds>(bucket.take(piece)));
      moved += piece;
    }
    EXPECT_NEAR(static_cast<double>(moved), 50e6, 0.02 * 50e6) << piece;
  }
}

TEST(Line, replication_passes_when_nobody_is_there) {
  ManualClock clock;
  base::Metrics metrics;
  Line line(clock, metrics);
  Line::Turn turn;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(line.replication(MB, turn), 0ms);
    EXPECT_TRUE(line.carry(MB));
  }
  EXPECT_EQ(moved(metrics, "replication"), 200 * MB);
}

TEST(Line, replication_stands_back_for_a_tenth_of_a_second) {
  ManualClock clock;
  base::Metrics metrics;
  Line line(clock, metrics);
  Line::Turn turn;
  line.interactive(0);
  EXPECT_FALSE(line.carry(1));
  EXPECT_EQ(line.replication(MB, turn), 0ms);  // the trickle's first turn
  EXPECT_EQ(line.replication(MB, turn), 100ms);
  clock.advance(60ms);
  EXPECT_EQ(line.replication(MB, turn), 40ms);
  line.interactive(1);
  EXPECT_EQ(line.replication(MB, turn), 100ms);
  clock.advance(100ms);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(line.replication(MB, turn), 0ms);
  EXPECT_EQ(test::value_of(metrics, "entrepot_line_yields_total"), 1);
}

struct Follower {
  Line::Turn turn;
  std::uint64_t moved = 0;
};

// Everybody asks every millisecond, people never leave.
void stand_back_for(Line& line, ManualClock& clock, milliseconds time,
                    std::vector<Follower>& followers) {
  constexpr std::uint64_t piece = 16'384;
  for (milliseconds passed{0}; passed < time; passed += 1ms) {
    line.interactive(1000);
    for (auto& each : followers)
      if (line.replication(piece, each.turn) == 0ms) each.moved += piece;
    clock.advance(1ms);
  }
}

TEST(Line, replication_keeps_a_trickle_and_takes_turns) {
  ManualClock clock;
  base::Metrics metrics;
  Line line(clock, metrics);
  std::vector<Follower> followers(8);
  stand_back_for(line, clock, 64s, followers);
  const auto expected = Line::least_trickle * 64;
  EXPECT_NEAR(static_cast<double>(moved(metrics, "replication")), static_cast<double>(expected),
              0.1 * static_cast<double>(expected));
  for (const auto& each : followers)
    EXPECT_NEAR(static_cast<double>(each.moved), static_cast<double>(expected) / 8, 32'768);
}

TEST(Line, the_trickle_is_a_share_of_what_the_line_carries) {
  ManualClock clock;
  base::Metrics metrics;
  Line line(clock, metrics);
  for (int i = 0; i < 30; ++i) {  // 20 MB/s by both
    line.interactive(MB);
    Line::Turn turn;
    clock.advance(Line::quiet);
    line.replication(MB, turn);
  }
  std::vector<Follower> followers(4);
  const auto trickled = [&](std::chrono::seconds time) {  // bytes a second
    const auto before = moved(metrics, "replication");
    stand_back_for(line, clock, time, followers);
    return (moved(metrics, "replication") - before) / static_cast<std::uint64_t>(time.count());
  };
  const auto at_first = trickled(10s);
  EXPECT_GT(at_first, 500'000U);
  EXPECT_LT(at_first, 700'000U);
  clock.advance(60s);
  EXPECT_LT(trickled(10s), 350'000U);  // forgotten by and by
  clock.advance(24h);
  EXPECT_NEAR(static_cast<double>(trickled(64s)), static_cast<double>(Line::least_trickle), 6554);
}

TEST(Passage, without_a_lane_nothing_waits) {
  Passage passage(nullptr);
  EXPECT_FALSE(passage.restrained());
  EXPECT_EQ(passage.charge(MB), 0ms);
  EXPECT_EQ(passage.stand_back(MB), 0ms);
  EXPECT_FALSE(passage.receive_buffer(1ms));
  EXPECT_EQ(request_wait(nullptr), 0ms);
}

TEST(Passage, every_bucket_must_allow_it) {
  ManualClock clock;
  const auto lane = std::make_shared<Lane>();
  lane->bytes = {std::make_shared<TokenBucket>(1000, clock),
                 std::make_shared<TokenBucket>(500, clock)};
  lane->requests = {std::make_shared<TokenBucket>(1, clock)};
  Passage passage(lane);
  EXPECT_TRUE(passage.restrained());
  EXPECT_EQ(passage.charge(1000), 0ms);
  EXPECT_EQ(passage.charge(1000), 1900ms);
  clock.advance(10s);
  EXPECT_EQ(passage.charge(0), 0ms);
  EXPECT_EQ(request_wait(lane.get()), 0ms);
  EXPECT_EQ(ceil<milliseconds>(request_wait(lane.get())), 900ms);
}

TEST(Passage, people_are_heard_on_the_line_and_replication_is_not) {
  ManualClock clock;
  base::Metrics metrics;
  const auto line = make_line(clock, metrics);
  const auto people = std::make_shared<Lane>(Lane{.line = line});
  const auto copies = std::make_shared<Lane>(Lane{.priority = Priority::replication, .line = line});
  Passage replication(copies);
  EXPECT_TRUE(replication.restrained());
  replication.moved(5);
  EXPECT_EQ(moved(metrics, "interactive"), 0U);
  EXPECT_EQ(replication.stand_back(1), 0ms);
  Passage interactive(people);  // its beginning is enough
  EXPECT_FALSE(interactive.restrained());
  EXPECT_EQ(interactive.stand_back(MB), 0ms);
  EXPECT_EQ(replication.stand_back(MB), 0ms);
  EXPECT_EQ(replication.stand_back(MB), 100ms);
  interactive.moved(5);
  EXPECT_EQ(moved(metrics, "interactive"), 5U);
}

struct BufferCase {
  std::uint64_t rate;  // 0: none, a line only
  std::chrono::microseconds rtt;
  std::optional<int> bytes;
};

TEST(Passage, a_receive_buffer_is_what_the_rate_needs) {
  const BufferCase cases[] = {
      {0, 100us, 32'768},        {0, 1'500us, 192'000},   {0, 20ms, std::nullopt},
      {5 * MB, 1ms, 32'768},     {5 * MB, 20ms, 200'000}, {5 * MB, 100ms, std::nullopt},
      {1000 * MB, 1ms, 128'000}, {1000, 1s, 32'768},
  };
  ManualClock clock;
  base::Metrics metrics;
  for (const auto& each : cases) {
    Lane lane{.priority = Priority::replication, .line = make_line(clock, metrics)};
    if (each.rate > 0) lane.bytes = {std::make_shared<TokenBucket>(each.rate, clock)};
    EXPECT_EQ(Passage(std::make_shared<Lane>(lane)).receive_buffer(each.rtt), each.bytes)
        << each.rate << " " << each.rtt.count();
  }
}

// What threads share.
TEST(Lane, serves_several_threads_at_once) {
  base::Metrics metrics;
  const auto line = make_line(base::system_clock(), metrics);
  const auto bucket = std::make_shared<TokenBucket>(1'000'000'000, base::system_clock());
  const Lane people{.line = line, .bytes = {bucket}};
  const Lane copies{.priority = Priority::replication, .line = line, .bytes = {bucket}};
  constexpr int rounds = 2'000;
  std::atomic<std::uint64_t> passed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Passage passage(std::make_shared<Lane>(t % 2 == 0 ? people : copies));
      for (int i = 0; i < rounds; ++i) {
        passage.charge(1);
        if (t % 2 == 1 && passage.carry(1)) ++passed;
        if (passage.stand_back(1).count() == 0 && t % 2 == 1) ++passed;
        passage.moved(1);
      }
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(moved(metrics, "interactive"), 2U * rounds);
  EXPECT_EQ(moved(metrics, "replication"), passed);
}

}  // namespace
}  // namespace entrepot::http::lane_test
