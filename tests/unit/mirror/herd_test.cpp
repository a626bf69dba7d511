// Fills and questions across threads.
#include <gtest/gtest.h>

#include <random>

#include "mirror_house.hpp"

namespace entrepot::test::herd_test {
namespace {

constexpr std::size_t clients = 64;

class Herd : public MirrorHouse {
 protected:
  template <class T>
  std::vector<T> results(std::vector<std::future<T>>& futures) {
    std::vector<T> all;
    for (auto& future : futures) all.push_back(future.get());
    return all;
  }
  void stop() {
    runtime_.start(0, until_no_fills(fills_.state())).get();
    runtime_.stop();
  }

  RunningRuntime runtime_{2};
};

async::Task<Body> client(registry::Source& source, oci::Digest digest) {
  auto content = co_await source.blob(name("app"), digest);
  if (!content) co_return Body{};
  co_return co_await drain(*content->bytes);
}

// Reads a little and goes away.
async::Task<> passer_by(registry::Source& source, oci::Digest digest, std::uint64_t most) {
  auto content = co_await source.blob(name("app"), digest);
  if (!content) co_return;
  std::uint64_t offset = 0;
  while (offset < most) {
    offset += async::length_of(co_await content->bytes->read_at(offset, most - offset));
  }
}

// Rows: C-07
TEST_F(Herd, one_transfer_for_all_clients_on_all_threads) {
  const auto bytes = noise(5'000'000);
  const auto valve = std::make_shared<Valve>();
  upstream_.put_blob("app", digest_of(bytes), BlobPlan{.bytes = bytes, .valve = valve});
  auto& mirror = hub();
  std::vector<std::future<Body>> futures;
  for (std::size_t i = 0; i < clients; ++i) {
    futures.push_back(runtime_.start(i % 2, client(mirror, digest_of(bytes))));
  }
  for (std::uint64_t mark = 0; mark <= bytes.size(); mark += 100'000) valve->open_to(mark + 1);
  for (const auto& body : results(futures)) EXPECT_EQ(body.bytes, bytes);
  stop();
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  EXPECT_TRUE(stored(digest_of(bytes)));
}

// Rows: C-08
TEST_F(Herd, clients_come_and_go_at_random) {
  const auto bytes = noise(3'000'000);
  const auto valve = std::make_shared<Valve>();
  upstream_.put_blob("app", digest_of(bytes), BlobPlan{.bytes = bytes, .valve = valve});
  auto& mirror = hub();
  std::mt19937 random(std::random_device{}());
  std::vector<std::future<Body>> staying;
  std::vector<std::future<void>> leaving;
  for (std::size_t i = 0; i < clients; ++i) {
    leaving.push_back(
        runtime_.start(i % 2, passer_by(mirror, digest_of(bytes), random() % 2'900'000)));
    staying.push_back(runtime_.start((i + 1) % 2, client(mirror, digest_of(bytes))));
    valve->open_to(bytes.size() * i / clients + 1);
  }
  valve->open();
  for (const auto& body : results(staying)) EXPECT_EQ(body.bytes, bytes);
  for (auto& future : leaving) future.get();
  stop();
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
}

// Rows: C-09
TEST_F(Herd, a_break_reaches_every_client) {
  const auto bytes = noise(1'000'000);
  const auto valve = std::make_shared<Valve>();
  upstream_.put_blob(
      "app", digest_of(bytes),
      BlobPlan{.bytes = bytes, .valve = valve, .break_at = 700'000, .breaks = 1'000});
  auto& mirror = hub();
  std::vector<std::future<Body>> futures;
  for (std::size_t i = 0; i < clients; ++i) {
    futures.push_back(runtime_.start(i % 2, client(mirror, digest_of(bytes))));
  }
  valve->open();
  for (const auto& body : results(futures)) EXPECT_FALSE(body.complete);
  stop();
}

// Rows: C-11
TEST_F(Herd, a_full_disk_is_survived_by_every_client) {
  const auto bytes = noise(1'000'000);
  const auto valve = std::make_shared<Valve>();
  upstream_.put_blob("app", digest_of(bytes), BlobPlan{.bytes = bytes, .valve = valve});
  site_.store.full_after(500'000);
  auto& mirror = hub();
  std::vector<std::future<Body>> futures;
  for (std::size_t i = 0; i < 16; ++i) {
    futures.push_back(runtime_.start(i % 2, client(mirror, digest_of(bytes))));
  }
  valve->open();
  for (const auto& body : results(futures)) EXPECT_EQ(body.bytes, bytes);
  stop();
}

// Rows: C-10
TEST_F(Herd, stop_ends_fills_on_every_thread) {
  const auto valve = std::make_shared<Valve>();
  auto& mirror = hub();
  std::vector<std::future<Body>> futures;
  for (unsigned i = 0; i < 8; ++i) {
    const auto bytes = noise(500'000, i);
    upstream_.put_blob("app", digest_of(bytes), BlobPlan{.bytes = bytes, .valve = valve});
    futures.push_back(runtime_.start(i % 2, client(mirror, digest_of(bytes))));
  }
  valve->open_to(100'000);
  while (upstream_.count(Verb::opening) < 8) std::this_thread::yield();
  runtime_.start(0, fills_.stop()).get();
  for (const auto& body : results(futures)) EXPECT_FALSE(body.complete);
  runtime_.stop();
}

async::Task<bool> ask(registry::Source& source, oci::Digest expected) {
  const auto answer = co_await source.manifest(name("app"), reference("v1"));
  co_return answer && answer->digest == expected;
}

// Rows: C-07
TEST_F(Herd, one_question_about_a_tag_for_all_who_ask_at_once) {
  const auto manifest = put_image("app", "v1");
  const auto valve = std::make_shared<Valve>();
  upstream_.hold(valve);
  auto& mirror = hub();
  std::vector<std::future<bool>> futures;
  for (std::size_t i = 0; i < clients; ++i) {
    futures.push_back(runtime_.start(i % 2, ask(mirror, digest_of(manifest))));
  }
  while (upstream_.questions() == 0) std::this_thread::yield();
  valve->open();
  for (const auto right : results(futures)) EXPECT_TRUE(right);
  runtime_.stop();
  EXPECT_LE(upstream_.count(Verb::fetching), 2) << "one for those who came in time";
}

}  // namespace
}  // namespace entrepot::test::herd_test
