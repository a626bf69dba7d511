// A simulation of clients and a collector who know nothing of each other, on one thread, in an
// order drawn from a seed: whatever was answered with "it is here" can be read until the client
// itself deletes it (reliability.md rules 32 to 35).
//
// Store and index give way to others before and after each of their steps, so that every step of
// one may fall between any two of another. A seed that fails is told; run it alone with
// ENTREPOT_SEED=<n>.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <map>
#include <random>

#include "entrepot/index/collection.hpp"
#include "registry_house.hpp"

namespace entrepot::test::promises_test {
namespace {

using Random = std::mt19937_64;

async::Task<> give_way(Random& random) {
  for (auto turns = random() % 4; turns > 0; --turns) {
    co_await async::asio::post(co_await async::this_executor(), async::asio::use_awaitable);
  }
}

class YieldingStore : public MemoryStore {
 public:
  explicit YieldingStore(Random& random) : random_(random) {}
  async::Task<store::BlobInfo> commit(std::unique_ptr<store::Spool> spool,
                                      const oci::Digest& digest) override {
    co_await give_way(random_);
    const auto info = co_await MemoryStore::commit(std::move(spool), digest);
    co_await give_way(random_);
    co_return info;
  }

 private:
  Random& random_;
};

class YieldingIndex : public MemoryIndex {
 public:
  explicit YieldingIndex(Random& random) : random_(random) {}

 protected:
  async::Task<> run_read(std::function<void(const index::View&)> work) override {
    co_await MemoryIndex::run_read(std::move(work));
    co_await give_way(random_);
  }
  async::Task<> run_write(std::function<void(index::Batch&)> work) override {
    co_await give_way(random_);
    co_await MemoryIndex::run_write(std::move(work));
    co_await give_way(random_);
  }

 private:
  Random& random_;
};

// One world of a seed.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  // False when a promise was broken.
  bool run() {
    for (int i = 0; i < clients; ++i) start(client(), "client");
    start(second_hand(), "second hand");
    start(collector(), "collector");
    context_.run();
    return broken_.empty();
  }
  const std::string& broken() const { return broken_; }
  int promises() const { return promises_; }
  int collected() const { return collected_; }

 private:
  static constexpr int clients = 6;
  static constexpr int steps = 25;
  static constexpr unsigned contents = 4;
  static constexpr unsigned names = 2;

  void start(async::Task<> task, std::string_view what) {
    ++running_;
    async::spawn(context_.get_executor(), std::move(task), what, [this] { --running_; });
  }
  oci::RepositoryName some_name() { return name("r" + std::to_string(random_() % names)); }
  std::string some_content() { return "content " + std::to_string(random_() % contents); }

  async::Task<> client() {
    for (int step = 0; step < steps; ++step) {
      const auto repository = some_name();
      const auto content = some_content();
      switch (random_() % 6) {
        case 0:
        case 1:
          co_await push(repository, content);
          break;
        case 2:
          co_await mount(repository, content);
          break;
        case 3:
          co_await head(repository, content);
          break;
        case 4:
          co_await fill(content);
          break;
        default:
          co_await remove(repository, content);
          break;
      }
      co_await give_way(random_);
    }
  }

  // A client's own deletions of one thing; nobody promises anything against those.
  struct Deletions {
    int begun = 0;
    int ended = 0;
    bool none_runs() const { return begun == ended; }
  };
  async::Task<> remove(oci::RepositoryName repository, std::string content) {
    auto& deletions = deletions_[{repository, content}];
    ++deletions.begun;
    co_await writer_.delete_blob(repository, digest_of(content), {});
    ++deletions.ended;
  }

  async::Task<> push(oci::RepositoryName repository, std::string content) {
    const auto digest = digest_of(content);
    const auto before = deletions_[{repository, content}];
    auto spool = store_.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(content));
    co_await leases_.take(digest);
    co_await admission_.admit(std::move(spool), digest, [&](index::Batch& batch) {
      writer_.link_blob(batch, repository, digest, content.size(), {});
    });
    co_await check("push", repository, content, before);
  }
  // For a mirrored repository, whose links nobody collects; a fill takes no lease.
  async::Task<> fill(std::string content) {
    const auto digest = digest_of(content);
    const auto repository = name("hub/app");
    const auto before = deletions_[{repository, content}];
    auto spool = store_.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(content));
    co_await admission_.admit(std::move(spool), digest, [&](index::Batch& batch) {
      index::link(batch, repository, index::RepositoryKind::mirrored, digest, clock_.wall());
    });
    co_await check("fill", repository, content, before);
    // The mirror's operator takes it out again, or nothing would ever be without a link.
    deletions_[{repository, content}].begun += 1;
    co_await facts_.write([&](index::Batch& batch) { index::unlink(batch, repository, digest); });
    deletions_[{repository, content}].ended += 1;
  }
  async::Task<> mount(oci::RepositoryName repository, std::string content) {
    const auto before = deletions_[{repository, content}];
    const std::vector<oci::RepositoryName> from{name("r0"), name("r1")};
    const auto mounted = co_await writer_.mount(repository, digest_of(content), from, {});
    if (mounted == registry::Mounted::yes) co_await check("mount", repository, content, before);
  }
  async::Task<> head(oci::RepositoryName repository, std::string content) {
    const auto before = deletions_[{repository, content}];
    co_await leases_.take(digest_of(content));
    const auto found = co_await local_.stat(repository, digest_of(content));
    if (found) co_await check("head", repository, content, before);
  }

  // After a positive answer, now and for some while.
  async::Task<> check(std::string_view what, oci::RepositoryName repository, std::string content,
                      Deletions before) {
    if (!before.none_runs()) co_return;
    ++promises_;
    for (int look = 0; look < 3; ++look) {
      co_await give_way(random_);
      const auto found = co_await local_.blob(repository, digest_of(content));
      if (deletions_[{repository, content}].begun != before.begun) co_return;
      if (!found) broken_ = std::string(what) + " of " + content + " in " + repository.text();
    }
  }

  async::Task<> second_hand() {
    while (running_ > 2) {
      clock_.advance(std::chrono::seconds(1));
      leases_.tick();
      co_await give_way(random_);
      co_await async::asio::post(co_await async::this_executor(), async::asio::use_awaitable);
    }
  }

  // With no grace at all: what nobody has been promised goes.
  async::Task<> collector() {
    while (running_ > 2) {
      const auto digest = digest_of(some_content());
      const auto repository = some_name();
      if (const auto judgement = leases_.close(digest)) {
        co_await facts_.write([&](index::Batch& batch) {
          if (index::linked(batch, repository, digest)) index::unlink(batch, repository, digest);
        });
      }
      co_await remove_unlinked(digest);
      co_await give_way(random_);
    }
  }
  async::Task<> remove_unlinked(oci::Digest digest) {
    const auto stripe = co_await admission_.alone_with(digest);
    const auto judgement = leases_.close(digest);
    if (!judgement) co_return;
    const bool erased = co_await facts_.write(
        [&](index::Batch& batch) { return index::erase_unlinked(batch, digest); });
    co_await give_way(random_);
    if (!erased) co_return;
    store_.remove(digest);
    ++collected_;
  }

  Random random_;
  async::asio::io_context context_{1};
  ManualClock clock_;
  base::Metrics metrics_;
  YieldingIndex facts_{random_};
  YieldingStore store_{random_};
  registry::Local local_{facts_, store_};
  registry::LeaseTable leases_{std::chrono::seconds(20), clock_};
  registry::Admission admission_{facts_, store_, clock_, metrics_};
  registry::PolicySwitch policy_{
      std::make_shared<const registry::Policy>(registry::PolicyOptions{})};
  registry::Writer writer_{facts_, leases_, policy_, clock_, [] { return false; }};
  std::map<std::pair<oci::RepositoryName, std::string>, Deletions> deletions_;
  int running_ = 0;
  int promises_ = 0;
  int collected_ = 0;
  std::string broken_;
};

// Rows: G-01, G-03
TEST(Promises, hold_against_a_collector_at_work_in_any_order) {
  const char* only = std::getenv("ENTREPOT_SEED");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t last = only != nullptr ? first : 60;
  int promises = 0;
  int collected = 0;
  for (auto seed = first; seed <= last; ++seed) {
    World world(seed);
    ASSERT_TRUE(world.run()) << "ENTREPOT_SEED=" << seed << ": " << world.broken();
    promises += world.promises();
    collected += world.collected();
  }
  EXPECT_GT(promises, 0);
  EXPECT_GT(collected, 0) << "nothing was put to the test";
}

}  // namespace
}  // namespace entrepot::test::promises_test
