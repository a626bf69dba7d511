// A round that dies at any call that makes bytes durable: nothing needed is lost, and the next
// round finishes what it began.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "support/faulty_files.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"
#include "support/words.hpp"

namespace entrepot::upkeep::crash_test {
namespace {

using test::digest_of;
using test::name;
namespace fs = std::filesystem;

constexpr int died = 9;

struct Site {
  explicit Site(const fs::path& data)
      : store(store::open_filesystem_store(data, pool)), facts(index::open_lmdb_index(data)) {
    leases.arm({});
  }

  async::BlockingPool pool{1};
  std::unique_ptr<store::BlobStore> store;
  std::unique_ptr<index::Index> facts;
  base::Metrics metrics;
  registry::Admission admission{*facts, *store, base::system_clock(), metrics};
  registry::LeaseTable leases{std::chrono::hours(1)};
  registry::Local local{*facts, *store};
  Collector collector{{*facts, *store, admission, leases, pool, base::system_clock(), metrics}};
  boost::asio::io_context context{1};

  std::string put_file(std::string bytes) {
    auto spool = store->begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    test::run_on(context, store->commit(std::move(spool), digest_of(bytes)));
    return bytes;
  }
  std::string blob(std::string bytes) {
    put_file(bytes);
    test::run_on(context, facts->write([&](index::Batch& batch) {
      index::put_blob(batch, digest_of(bytes), bytes.size(), {});
      index::link(batch, name("app"), index::RepositoryKind::local, digest_of(bytes), {});
    }));
    return bytes;
  }
  std::string image(const std::string& word, bool tagged) {
    const auto config = blob("config of " + word);
    const auto layer = blob("layer of " + word);
    auto manifest = test::image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
    const auto parsed = oci::parse_manifest(manifest, oci::media_type::oci_manifest).value();
    test::run_on(context, facts->write([&](index::Batch& batch) {
      index::put_manifest(batch, name("app"), index::RepositoryKind::local, digest_of(manifest),
                          manifest, parsed, {});
      if (!tagged) return;
      index::set_tag(batch, name("app"), test::tag("v1"), digest_of(manifest), {},
                     index::Cause::push);
    }));
    return manifest;
  }
  Report round() {
    const CollectorOptions options{.grace = std::chrono::milliseconds(0),
                                   .trash = std::chrono::milliseconds(0),
                                   .history = std::chrono::milliseconds(0),
                                   .untagged = Untagged::remove};
    return test::run_on(context, collector.round(options, Trial::real, {}));
  }
  bool pulls(std::string_view bytes) {
    const auto content = test::run_on(context, local.blob(name("app"), digest_of(bytes)));
    return content.has_value();
  }
};

void furnish(const fs::path& data) {
  Site site(data);
  site.image("kept", true);
  site.image("garbage", false);
  site.blob("left behind");
  site.put_file("nobody's");
  site.blob("lost");
  site.store->remove(digest_of("lost"));
}

[[noreturn]] void collect_and_die(const fs::path& data, int nth) {
  try {
    Site site(data);
    test::FaultyFiles::die_before(nth);
    site.round();
    test::FaultyFiles::clear();
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

int end_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Rows: G-13, D-02
TEST(CollectionCrash, LosesNothingAndIsFinishedByTheNextRound) {
  const test::TempDir drawn;
  furnish(drawn.path());
  for (int nth = 1; nth < 1000; ++nth) {
    const test::TempDir data;
    fs::copy(drawn.path(), data.path(), fs::copy_options::recursive);
    const pid_t child = fork();
    if (child == 0) collect_and_die(data.path(), nth);
    const int end = end_of(child);
    ASSERT_TRUE(end == died || end == 0) << nth << " ended with " << end;
    Site site(data.path());
    EXPECT_TRUE(site.pulls("layer of kept")) << nth;
    EXPECT_TRUE(site.pulls("config of kept")) << nth;
    site.round();
    EXPECT_TRUE(site.pulls("layer of kept")) << nth;
    const auto files = site.store->list(std::nullopt, 100);
    EXPECT_EQ(files.size(), 2U) << nth;
    EXPECT_EQ(site.round().looked_at, 10U) << nth << ": three links twice, two files, two rows";
    if (end == 0) {
      EXPECT_GT(nth, 6);
      return;
    }
  }
  FAIL() << "the round never ended";
}

}  // namespace
}  // namespace entrepot::upkeep::crash_test
