#include "entrepot/registry/local.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "contract/byte_source_contract.hpp"
#include "contract/source_contract.hpp"
#include "support/site.hpp"

namespace entrepot::test::local_test {

class LocalStand : public SourceStand {
 public:
  registry::Source& source() override { return site_.local; }
  void put_blob(const std::string& repository, const std::string& bytes) override {
    run(site_.put_blob(repository, bytes));
  }
  void put_manifest(const std::string& repository, const std::vector<std::string>& tags,
                    std::string_view media_type, const std::string& bytes) override {
    run(site_.put_manifest(repository, tags, std::string(media_type), bytes));
  }

 private:
  Site site_;
};

INSTANTIATE_TEST_SUITE_P(Local, SourceContract,
                         testing::Values([] { return std::make_unique<LocalStand>(); }));

SourceMaker stored_blobs() {
  const auto site = std::make_shared<Site>();
  return [site](const std::string& bytes) {
    run_task(site->put_blob("app", bytes));
    auto content = run_task(site->local.blob(name("app"), digest_of(bytes)));
    return std::move(content.value().bytes);
  };
}
INSTANTIATE_TEST_SUITE_P(StoredBlob, ByteSourceContract, testing::Values(stored_blobs()));

namespace {

class Local : public testing::Test {
 protected:
  template <class T>
  T run(async::Task<T> task) {
    return run_task(context_, std::move(task));
  }
  bool recorded(const std::string& bytes) {
    return run(site_.facts.read(
        [&](const index::View& view) { return index::blob(view, digest_of(bytes)).has_value(); }));
  }

  Site site_;
  async::asio::io_context context_{1};
};

// Rows: C-06
TEST_F(Local, a_lost_file_is_absent_and_forgotten) {
  const auto bytes = noise(5000);
  run(site_.put_blob("app", bytes));
  ASSERT_TRUE(run(site_.local.blob(name("app"), digest_of(bytes))));
  site_.store.remove(digest_of(bytes));
  EXPECT_FALSE(run(site_.local.blob(name("app"), digest_of(bytes))));
  EXPECT_FALSE(recorded(bytes));
}

// A store that fetches and records a blob anew while its loss is being noticed.
class RacingStore : public MemoryStore {
 public:
  explicit RacingStore(std::function<void()> meanwhile) : meanwhile_(std::move(meanwhile)) {}
  std::unique_ptr<async::ByteSource> open(const oci::Digest& digest,
                                          std::uint64_t expected_size) override {
    auto source = MemoryStore::open(digest, expected_size);
    meanwhile_();
    return source;
  }

 private:
  const std::function<void()> meanwhile_;
};

// Rows: C-06
TEST_F(Local, a_newer_record_is_not_forgotten) {
  const auto bytes = noise(5000);
  run(site_.put_blob("app", bytes));
  const auto anew = [&](index::Batch& batch) {
    index::forget_blob(batch, digest_of(bytes));
    index::put_blob(batch, digest_of(bytes), bytes.size(),
                    base::WallTime() + std::chrono::seconds(1));
  };
  RacingStore store([&] {
    async::asio::io_context beside{1};
    run_task(beside, site_.facts.write(anew));
  });
  registry::Local local(site_.facts, store);
  EXPECT_FALSE(run(local.blob(name("app"), digest_of(bytes))));
  EXPECT_TRUE(recorded(bytes));
}

// Rows: C-06
TEST_F(Local, a_lost_file_counts_no_more) {
  base::Metrics metrics;
  metrics.store_size(5007, 2);
  registry::Local local(site_.facts, site_.store, &metrics);
  const auto bytes = noise(5000);
  run(site_.put_blob("app", bytes));
  site_.store.remove(digest_of(bytes));
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(run(local.blob(name("app"), digest_of(bytes))));
  EXPECT_NE(metrics.render().find("entrepot_store_bytes 7\n"), std::string::npos);
  EXPECT_NE(metrics.render().find("entrepot_store_blobs 1\n"), std::string::npos);
}

// Rows: C-04
TEST_F(Local, a_file_of_another_size_is_absent_and_forgotten) {
  const auto bytes = noise(5000);
  const auto wrong_size = [&](index::Batch& batch) {
    index::forget_blob(batch, digest_of(bytes));
    index::put_blob(batch, digest_of(bytes), 5001, base::WallTime());
  };
  run(site_.put_blob("app", bytes));
  run(site_.facts.write(wrong_size));
  EXPECT_FALSE(run(site_.local.stat(name("app"), digest_of(bytes))));
  EXPECT_FALSE(recorded(bytes));
  EXPECT_FALSE(run(site_.local.blob(name("app"), digest_of(bytes))));
}

TEST_F(Local, catalog_lists_repositories_after_a_name) {
  for (const auto* repository : {"b", "a", "c/d"}) run(site_.put_blob(repository, "x"));
  const auto names = run(site_.local.catalog({}, {.after = "a", .limit = 10}));
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0].text(), "b");
  EXPECT_EQ(names[1].text(), "c/d");
}

}  // namespace
}  // namespace entrepot::test::local_test
