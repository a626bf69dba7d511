// Many clients put one tag at once, over the index of the daemon.
#include <atomic>

#include "registry_house.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::test::tag_race_test {
namespace {

constexpr int clients = 100;

struct Race {
  index::Index& facts;
  registry::Writer& writer;
  std::atomic<int> running = clients;
  std::atomic<int> faults = 0;
};

ManifestPut image_number(int number) {
  const auto config = digest_of("{}");
  const auto label = R"(,"annotations":{"n":")" + std::to_string(number) + R"("})";
  return {.repository = name("app"),
          .digest = {},
          .tags = {tag("latest")},
          .media_type = std::string(oci::media_type::oci_manifest),
          .bytes = image_manifest({{config, 2}}, label),
          .counterpart = {}};
}

async::Task<bool> put_one(Race& race, int number) {
  const auto stored = co_await race.writer.put_manifest(image_number(number), actor("a"));
  const bool held = co_await race.facts.read([&](const index::View& view) {
    return index::manifest_info(view, stored.digest).has_value();
  });
  --race.running;
  co_return held;
}

// Once there, the tag points at every moment to a manifest that is there.
async::Task<bool> watch(Race& race) {
  while (race.running > 0) {
    co_await race.facts.read([&](const index::View& view) {
      const auto record = index::tag(view, name("app"), tag("latest"));
      if (record && !index::manifest_info(view, record->digest)) ++race.faults;
      if (!record && race.running < clients) ++race.faults;
    });
    co_await async::sleep_for(std::chrono::milliseconds(1));
  }
  co_return true;
}

// Rows: M-12
TEST(TagRace, the_last_committed_wins_and_the_tag_is_never_absent) {
  const TempDir data;
  const auto facts = index::open_lmdb_index(data.path());
  ManualClock clock;
  registry::LeaseTable leases(std::chrono::hours(1), clock);
  registry::PolicySwitch policy(
      std::make_shared<const registry::Policy>(registry::PolicyOptions{}));
  registry::Writer writer(*facts, leases, policy, clock, [] { return false; });
  run_task(facts->write([&](index::Batch& batch) {
    index::put_blob(batch, digest_of("{}"), 2, clock.wall());
    writer.link_blob(batch, name("app"), digest_of("{}"), 2, actor("a"));
  }));
  Race race{*facts, writer};
  RunningRuntime runtime(2);
  auto watcher = runtime.start(0, watch(race));
  std::vector<std::future<bool>> ends;
  for (int i = 0; i < clients; ++i) {
    ends.push_back(runtime.start(static_cast<std::size_t>(i) % 2, put_one(race, i)));
  }
  for (auto& end : ends) EXPECT_TRUE(end.get()) << "answered, and not there";
  EXPECT_TRUE(watcher.get());
  EXPECT_EQ(race.faults, 0);
  const auto changes = run_task(facts->read([](const index::View& view) {
    return index::tag_changes(view, name("app"), tag("latest"), 0, 2 * clients);
  }));
  ASSERT_EQ(changes.size(), static_cast<std::size_t>(clients)) << "each moved it once";
  const auto now = run_task(facts->read(
      [](const index::View& view) { return index::tag(view, name("app"), tag("latest")); }));
  EXPECT_EQ(now->digest, changes.front().to);
}

}  // namespace
}  // namespace entrepot::test::tag_race_test
