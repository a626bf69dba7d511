// What every store::BlobStore promises. Include in one source and instantiate:
//   INSTANTIATE_TEST_SUITE_P(filesystem, BlobStoreContract, testing::Values(StoreMaker(…)));
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/store/blob_store.hpp"
#include "support/run_task.hpp"
#include "support/store_words.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::test {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// `data` is a directory of the test's own; a second call on it stands for a restart.
using StoreMaker = std::function<std::unique_ptr<store::BlobStore>(
    const std::filesystem::path& data, async::BlockingPool& pool)>;

class BlobStoreContract : public testing::TestWithParam<StoreMaker> {
 protected:
  BlobStoreContract() { restart(); }

  void restart() {
    store_.reset();
    store_ = GetParam()(data_.path(), pool_);
  }
  store::BlobStore& store() { return *store_; }

  std::unique_ptr<store::Spool> resume(const oci::Digest& digest) {
    return run_task(store().begin_or_resume(digest));
  }
  store::BlobInfo commit(std::unique_ptr<store::Spool> spool, const oci::Digest& digest) {
    return run_task(store().commit(std::move(spool), digest));
  }
  oci::Digest put(std::string_view content, oci::Algorithm algorithm = oci::Algorithm::sha256) {
    auto spool = store().begin(algorithm);
    spool->append(base::as_bytes(content));
    const auto digest = digest_of(content, algorithm);
    commit(std::move(spool), digest);
    return digest;
  }
  std::string get(const oci::Digest& digest, std::uint64_t size) {
    auto source = store().open(digest, size);
    return source ? run_task(content_of(std::move(source))) : "(absent)";
  }

 private:
  TempDir data_;
  async::BlockingPool pool_{2};
  std::unique_ptr<store::BlobStore> store_;
};

// Rows: M-04
TEST_P(BlobStoreContract, a_committed_blob_is_there_also_after_a_restart) {
  for (const auto algorithm : {oci::Algorithm::sha256, oci::Algorithm::sha512}) {
    const auto digest = put("content", algorithm);
    EXPECT_EQ(store().find(digest)->size, 7U);
    EXPECT_EQ(get(digest, 7), "content");
    restart();
    EXPECT_EQ(store().find(digest)->size, 7U);
    EXPECT_EQ(get(digest, 7), "content");
  }
}

TEST_P(BlobStoreContract, the_empty_blob_is_a_blob) {
  const auto digest = put("");
  EXPECT_EQ(store().find(digest)->size, 0U);
  EXPECT_EQ(get(digest, 0), "");
}

TEST_P(BlobStoreContract, nothing_is_seen_before_commit) {
  auto spool = store().begin(oci::Algorithm::sha256);
  spool->append(base::as_bytes("content"));
  EXPECT_FALSE(store().find(digest_of("content")));
  EXPECT_FALSE(store().open(digest_of("content"), 7));
  EXPECT_TRUE(store().list({}, 10).empty());
}

// Rows: C-01, M-03
TEST_P(BlobStoreContract, other_bytes_than_promised_are_refused) {
  auto spool = store().begin(oci::Algorithm::sha256);
  spool->append(base::as_bytes("other"));
  EXPECT_THROW(commit(std::move(spool), digest_of("content")), store::CommitRefused);
  EXPECT_FALSE(store().find(digest_of("content")));
  EXPECT_FALSE(store().find(digest_of("other")));
  auto named = resume(digest_of("content"));
  named->append(base::as_bytes("other"));
  EXPECT_THROW(commit(std::move(named), digest_of("content")), store::CommitRefused);
  EXPECT_EQ(resume(digest_of("content"))->size(), 0U) << "wrong bytes are not resumed";
}

// Rows: C-04
TEST_P(BlobStoreContract, a_blob_of_another_size_than_expected_is_absent) {
  const auto digest = put("content");
  EXPECT_FALSE(store().open(digest, 8));
  EXPECT_FALSE(store().find(digest)) << "out of the way, so that it can be had again";
  EXPECT_EQ(put("content"), digest);
  EXPECT_EQ(get(digest, 7), "content");
}

TEST_P(BlobStoreContract, committing_again_is_fine) {
  const auto digest = put("content");
  auto reader = store().open(digest, 7);
  EXPECT_EQ(put("content"), digest);
  EXPECT_EQ(get(digest, 7), "content");
  EXPECT_EQ(run_task(content_of(std::move(reader))), "content");
}

// Rows: C-19
TEST_P(BlobStoreContract, readers_outlive_removal) {
  const auto digest = put("content");
  auto reader = store().open(digest, 7);
  store().remove(digest);
  store().remove(digest);
  EXPECT_FALSE(store().find(digest));
  EXPECT_EQ(get(digest, 7), "(absent)");
  EXPECT_EQ(run_task(content_of(std::move(reader))), "content");
}

TEST_P(BlobStoreContract, every_blob_is_listed_once_in_order) {
  std::vector<oci::Digest> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(put(std::to_string(i), i % 4 ? oci::Algorithm::sha256 : oci::Algorithm::sha512));
  }
  std::ranges::sort(all);
  for (const std::size_t page : {1U, 7U, 40U, 1000U}) {
    std::vector<oci::Digest> met;
    for (auto part = store().list({}, page); !part.empty(); part = store().list(met.back(), page)) {
      EXPECT_LE(part.size(), page);
      met.insert(met.end(), part.begin(), part.end());
    }
    EXPECT_EQ(met, all) << page;
  }
  EXPECT_TRUE(store().list({}, 0).empty());
}

TEST_P(BlobStoreContract, a_spool_hashes_as_it_grows) {
  auto spool = store().begin(oci::Algorithm::sha256);
  EXPECT_EQ(spool->digest(), digest_of(""));
  spool->append(base::as_bytes("con"));
  EXPECT_EQ(spool->digest(), digest_of("con"));
  auto hasher = spool->hasher();
  spool->append(base::as_bytes("tent"));
  EXPECT_EQ(spool->size(), 7U);
  EXPECT_EQ(spool->digest(), digest_of("content"));
  EXPECT_EQ(hasher.current(), digest_of("con"));
  EXPECT_EQ(file_text(*spool), "content");
}

TEST_P(BlobStoreContract, restarting_a_spool_leaves_its_readers_the_old_bytes) {
  const auto digest = digest_of("fresh");
  std::vector<std::unique_ptr<store::Spool>> spools;
  spools.push_back(store().begin(oci::Algorithm::sha256));
  spools.push_back(resume(digest));
  for (auto& spool : spools) {
    spool->append(base::as_bytes("stale"));
    const auto old_file = spool->file();
    spool->restart();
    EXPECT_EQ(spool->size(), 0U);
    spool->append(base::as_bytes("fresh"));
    EXPECT_EQ(file_text(*spool), "fresh");
    std::string old(5, '\0');
    EXPECT_EQ(pread(old_file->get(), old.data(), old.size(), 0), 5);
    EXPECT_EQ(old, "stale");
    EXPECT_EQ(commit(std::move(spool), digest).size, 5U);
  }
  EXPECT_EQ(get(digest, 5), "fresh");
}

// Rows: C-10
TEST_P(BlobStoreContract, what_was_kept_is_resumed_with_its_hash) {
  const auto digest = digest_of("content");
  auto spool = resume(digest);
  EXPECT_EQ(spool->size(), 0U);
  spool->append(base::as_bytes("con"));
  spool->keep();
  spool.reset();
  restart();
  spool = resume(digest);
  EXPECT_EQ(spool->size(), 3U);
  EXPECT_EQ(spool->digest(), digest_of("con"));
  spool->append(base::as_bytes("tent"));
  EXPECT_EQ(commit(std::move(spool), digest).size, 7U);
  EXPECT_EQ(get(digest, 7), "content");
  EXPECT_EQ(resume(digest)->size(), 0U) << "a committed spool leaves nothing to resume";
}

TEST_P(BlobStoreContract, what_was_not_kept_is_gone) {
  const auto digest = digest_of("content");
  resume(digest)->append(base::as_bytes("con"));
  EXPECT_EQ(resume(digest)->size(), 0U);
}

TEST_P(BlobStoreContract, one_named_spool_a_digest_at_a_time) {
  const auto digest = digest_of("content");
  auto spool = resume(digest);
  EXPECT_THROW(resume(digest), std::system_error);
  EXPECT_EQ(resume(digest_of("other"))->size(), 0U);
  spool.reset();
  EXPECT_EQ(resume(digest)->size(), 0U);
}

TEST_P(BlobStoreContract, readers_of_a_spool_read_on_after_commit) {
  auto spool = store().begin(oci::Algorithm::sha256);
  spool->append(base::as_bytes("content"));
  const auto file = spool->file();
  commit(std::move(spool), digest_of("content"));
  store().remove(digest_of("content"));
  std::string text(7, '\0');
  EXPECT_EQ(pread(file->get(), text.data(), text.size(), 0), 7);
  EXPECT_EQ(text, "content");
}

inline async::Task<bool> store_round_trip(store::BlobStore& store, int number) {
  // Half of them store what another one stores at the same time.
  const auto content = std::string(10'000, static_cast<char>('a' + number / 2 % 26));
  const auto digest = digest_of(content);
  auto spool = store.begin(oci::Algorithm::sha256);
  for (std::size_t at = 0; at < content.size(); at += 1000) {
    spool->append(base::as_bytes(std::string_view(content).substr(at, 1000)));
  }
  co_await store.commit(std::move(spool), digest);
  auto source = store.open(digest, content.size());
  if (!source) co_return false;
  co_return co_await content_of(std::move(source)) == content;
}

TEST_P(BlobStoreContract, many_may_store_at_once_also_the_same) {
  constexpr std::size_t threads = 3;
  RunningRuntime runtime(threads);
  std::vector<std::future<bool>> ends;
  for (int i = 0; i < 60; ++i) {
    ends.push_back(
        runtime.start(static_cast<std::size_t>(i) % threads, store_round_trip(store(), i)));
  }
  for (auto& end : ends) EXPECT_TRUE(end.get());
  EXPECT_EQ(store().list({}, 100).size(), 26U);
}

constexpr std::string_view upload_id = "00112233445566778899aabbccddeeff";

inline std::vector<store::BlobStore::UploadFile> uploads_of(const store::BlobStore& store) {
  std::vector<store::BlobStore::UploadFile> found;
  store.uploads([&](const store::BlobStore::UploadFile& file) { found.push_back(file); });
  return found;
}

// Rows: D-01
TEST_P(BlobStoreContract, an_upload_is_resumed_after_a_restart_with_its_notes) {
  const std::string id(upload_id);
  store().begin_upload(id, oci::Algorithm::sha256, "whose it is")->append(base::as_bytes("con"));
  restart();
  ASSERT_EQ(uploads_of(store()).size(), 1U);
  EXPECT_EQ(uploads_of(store()).front().id, id);
  EXPECT_EQ(uploads_of(store()).front().notes, "whose it is");
  EXPECT_EQ(uploads_of(store()).front().size, 3U);
  auto spool = run_task(store().resume_upload(id, oci::Algorithm::sha256));
  EXPECT_EQ(spool->digest(), digest_of("con"));
  spool->append(base::as_bytes("tent"));
  EXPECT_EQ(commit(std::move(spool), digest_of("content")).size, 7U);
  EXPECT_EQ(get(digest_of("content"), 7), "content");
  EXPECT_TRUE(uploads_of(store()).empty());
  restart();
  EXPECT_TRUE(uploads_of(store()).empty());
  EXPECT_FALSE(run_task(store().resume_upload(id, oci::Algorithm::sha256)));
}

// Rows: M-04
TEST_P(BlobStoreContract, an_upload_may_be_hashed_by_another_algorithm) {
  const std::string id(upload_id);
  store().begin_upload(id, oci::Algorithm::sha256, "")->append(base::as_bytes("content"));
  const auto sha512 = digest_of("content", oci::Algorithm::sha512);
  commit(run_task(store().resume_upload(id, oci::Algorithm::sha512)), sha512);
  EXPECT_EQ(get(sha512, 7), "content");
}

TEST_P(BlobStoreContract, a_refused_commit_leaves_the_upload) {
  const std::string id(upload_id);
  auto spool = store().begin_upload(id, oci::Algorithm::sha256, "");
  spool->append(base::as_bytes("other"));
  EXPECT_THROW(commit(std::move(spool), digest_of("content")), store::CommitRefused);
  EXPECT_EQ(run_task(store().resume_upload(id, oci::Algorithm::sha256))->size(), 5U);
}

TEST_P(BlobStoreContract, a_discarded_upload_is_gone_also_under_its_writer) {
  const std::string id(upload_id);
  auto spool = store().begin_upload(id, oci::Algorithm::sha256, "");
  spool->append(base::as_bytes("con"));
  store().discard_upload(id);
  store().discard_upload(id);
  spool->append(base::as_bytes("tent"));
  spool.reset();
  EXPECT_TRUE(uploads_of(store()).empty());
  EXPECT_FALSE(run_task(store().resume_upload(id, oci::Algorithm::sha256)));
}

TEST_P(BlobStoreContract, what_lies_in_trash_is_no_blob_and_goes_in_its_time) {
  const auto digest = put("content");
  put("kept");
  ASSERT_TRUE(store().written(digest));
  store().trash(digest);
  store().trash(digest);
  EXPECT_FALSE(store().find(digest));
  EXPECT_FALSE(store().written(digest));
  EXPECT_EQ(store().list({}, 10), std::vector{digest_of("kept")});
  EXPECT_EQ(store().empty_trash(base::WallTime()), 0U);
  const auto tomorrow = base::system_clock().wall() + std::chrono::hours(24);
  EXPECT_EQ(store().empty_trash(tomorrow), 7U);
  EXPECT_EQ(store().empty_trash(tomorrow), 0U);
  EXPECT_EQ(get(put("content"), 7), "content");
}

// Rows: C-15
TEST_P(BlobStoreContract, a_file_of_somebody_else_is_brought_here) {
  const TempDir elsewhere;
  const auto path = elsewhere.path() / "data";
  std::ofstream(path) << "content";
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  for (const auto how : {store::BlobStore::Bring::link, store::BlobStore::Bring::copy}) {
    for (int times = 0; times < 2; ++times) {
      EXPECT_EQ(run_task(store().bring(file, digest_of("content"), how)).size, 7U);
      EXPECT_EQ(get(digest_of("content"), 7), "content");
    }
    store().remove(digest_of("content"));
  }
  EXPECT_EQ(read_text(path), "content") << "theirs stays";
  EXPECT_THROW(run_task(store().bring(file, digest_of("other"), store::BlobStore::Bring::copy)),
               store::CommitRefused);
  EXPECT_FALSE(store().find(digest_of("other")));
}

TEST_P(BlobStoreContract, there_is_room) { EXPECT_GT(store().free_bytes(), 0U); }

}  // namespace entrepot::test
