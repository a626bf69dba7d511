// Pushers and rounds of the collector at once, on the real index and store, with no grace at all: a
// promise given to a client holds all the same (reliability.md G-01).
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/registry/writer.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"
#include "support/words.hpp"

namespace entrepot::upkeep::pressure_test {
namespace {

using namespace std::chrono_literals;
using test::digest_of;
using test::name;
using test::tag;

constexpr int pushers = 24;
constexpr unsigned contents = 30;
constexpr unsigned repositories = 3;

struct Site {
  test::TempDir data;
  async::BlockingPool pool{4};
  std::unique_ptr<store::BlobStore> store = store::open_filesystem_store(data.path(), pool);
  std::unique_ptr<index::Index> facts = index::open_lmdb_index(data.path());
  base::Metrics metrics;
  const base::Clock& clock = base::system_clock();
  registry::Admission admission{*facts, *store, clock, metrics};
  registry::LeaseTable leases{1h};
  registry::PolicySwitch policy{
      std::make_shared<const registry::Policy>(registry::PolicyOptions{})};
  registry::Writer writer{*facts, leases, policy, clock, [] { return false; }};
  registry::Local local{*facts, *store};
  Collector collector{{*facts, *store, admission, leases, pool, clock, metrics}};

  std::atomic<bool> over = false;
  std::atomic<int> running = 0;
  std::atomic<int> pushes = 0;
  std::atomic<int> broken = 0;
  std::atomic<std::uint64_t> removed = 0;

  Site() { leases.arm({}); }
};

// One client: what it was told is here it does not send, and relies on.
class Pusher {
 public:
  Pusher(Site& site, unsigned number)
      : site_(site),
        number_(number),
        dice_(number),
        mark_(R"(,"annotations":{"pusher":")" + std::to_string(number) + R"("})"),
        actor_{.name = "pusher " + std::to_string(number)} {}

  async::Task<> push_and_delete() {
    const auto repository = name("app" + std::to_string(roll(repositories)));
    const auto config = "content " + std::to_string(roll(contents));
    const auto layer = "content " + std::to_string(contents + roll(contents));
    for (const auto& bytes : {config, layer}) co_await ensure(repository, bytes);
    if (roll(2) == 0) co_await async::sleep_for(std::chrono::milliseconds(roll(10)));
    const auto manifest = test::image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}}, mark_);
    try {
      co_await put(repository, manifest);
      for (const auto& bytes : {config, layer}) co_await check(repository, bytes);
      ++site_.pushes;
    } catch (const oci::Refusal& refusal) {
      ++site_.broken;
      ADD_FAILURE() << refusal.what();
    }
    if (roll(4) != 0) {
      co_await site_.writer.delete_manifest(repository, digest_of(manifest), actor_);
    }
  }

 private:
  unsigned roll(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }

  async::Task<> ensure(oci::RepositoryName repository, std::string bytes) {
    const auto digest = digest_of(bytes);
    co_await site_.leases.take(digest, registry::promisee(repository, actor_));
    if (co_await site_.local.stat(repository, digest)) co_return;
    auto spool = site_.store->begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    const auto now = site_.clock.wall();
    co_await site_.admission.admit(std::move(spool), digest, [&](index::Batch& batch) {
      index::link(batch, repository, index::RepositoryKind::local, digest, now);
    });
  }

  async::Task<> put(oci::RepositoryName repository, std::string manifest) {
    const auto stored = co_await site_.writer.put_manifest(
        {.repository = repository,
         .digest = {},
         .tags = {tag("of-" + std::to_string(number_))},
         .media_type = std::string(oci::media_type::oci_manifest),
         .bytes = manifest,
         .counterpart = {}},
        actor_);
    EXPECT_EQ(stored.digest, digest_of(manifest));
  }

  async::Task<> check(oci::RepositoryName repository, std::string bytes) {
    const auto content = co_await site_.local.blob(repository, digest_of(bytes));
    if (content) co_return;
    ++site_.broken;
    ADD_FAILURE() << bytes << " was promised and is gone";
  }

  Site& site_;
  const unsigned number_;
  std::mt19937 dice_;
  const std::string mark_;  // nobody else's manifest has it, so nobody else deletes it
  const index::Actor actor_;
};

async::Task<> push_on(Site& site, unsigned seed) {
  Pusher pusher(site, seed);
  while (!site.over) co_await pusher.push_and_delete();
  --site.running;
}

async::Task<> collect_on(Site& site) {
  const CollectorOptions options{
      .grace = 0ms, .trash = 0ms, .history = 0ms, .untagged = Untagged::remove};
  while (site.running > 0) {
    const auto report = co_await site.collector.round(options, Trial::real, {});
    site.removed += report.blobs;
    EXPECT_EQ(report.lost_rows, 0U);
    EXPECT_EQ(report.unknown_files, 0U);
  }
}

async::Task<> end_after(Site& site, std::chrono::milliseconds duration) {
  co_await async::sleep_for(duration);
  site.over = true;
}

// Rows: G-01, G-02, G-03, G-14
TEST(Pressure, NoPromiseIsBrokenByRoundsWithoutGrace) {
  Site site;
  test::RunningRuntime runtime(3);
  site.running = pushers;
  std::vector<std::future<void>> ends;
  for (unsigned i = 0; i < pushers; ++i) ends.push_back(runtime.start(i % 2, push_on(site, i + 1)));
  ends.push_back(runtime.start(2, collect_on(site)));
  ends.push_back(runtime.start(2, end_after(site, 4s)));
  for (auto& end : ends) end.get();
  EXPECT_EQ(site.broken, 0);
  EXPECT_GT(site.pushes, 20);
  EXPECT_GT(site.removed, 5U) << "the collector has not been in anybody's way";
  RecordProperty("pushes", site.pushes);
  RecordProperty("removed", static_cast<int>(site.removed));
}

}  // namespace
}  // namespace entrepot::upkeep::pressure_test
