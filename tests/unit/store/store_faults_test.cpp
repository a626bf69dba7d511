// The disk fails, fills up, or the process dies at a chosen call.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "entrepot/store/blob_store.hpp"
#include "store/layout.hpp"
#include "support/faulty_files.hpp"
#include "support/run_task.hpp"
#include "support/store_words.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::store::store_faults_test {
namespace {

using test::Call;
using test::digest_of;
using test::FaultyFiles;
using test::run_task;

class StoreFaults : public testing::Test {
 protected:
  ~StoreFaults() override { FaultyFiles::clear(); }
};

std::unique_ptr<Spool> spool_with(BlobStore& store, std::string_view content) {
  auto spool = store.begin(oci::Algorithm::sha256);
  spool->append(base::as_bytes(content));
  return spool;
}

// Runs a whole commit in this (child) process; dies before the nth call, or tells how it ended.
[[noreturn]] void commit_and_die(const std::filesystem::path& data, int nth) {
  try {
    async::BlockingPool pool(1);
    auto store = open_filesystem_store(data, pool);
    auto spool = run_task(store->begin_or_resume(digest_of("content")));
    FaultyFiles::die_before(nth);
    spool->append(base::as_bytes("content"));
    run_task(store->commit(std::move(spool), digest_of("content")));
    _exit(0);
  } catch (...) {
    _exit(1);
  }
}

int end_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Rows: C-10, D-02
TEST_F(StoreFaults, dying_at_any_step_of_commit_never_shows_half_a_blob) {
  const auto digest = digest_of("content");
  constexpr int died = 9;
  constexpr int most_calls = 100;
  for (int nth = 1; nth < most_calls; ++nth) {
    const test::TempDir data;
    const pid_t child = fork();
    if (child == 0) commit_and_die(data.path(), nth);
    const int end = end_of(child);
    ASSERT_TRUE(end == died || end == 0) << end;
    async::BlockingPool pool(1);
    auto store = open_filesystem_store(data.path(), pool);
    if (auto source = store->open(digest, 7)) {
      EXPECT_EQ(run_task(test::content_of(std::move(source))), "content");
    } else {
      EXPECT_EQ(end, died) << "an acknowledged blob is there";
      auto spool = run_task(store->begin_or_resume(digest));
      spool->append(base::as_bytes(std::string_view("content").substr(spool->size())));
      run_task(store->commit(std::move(spool), digest));
      EXPECT_EQ(store->find(digest)->size, 7U);
    }
    if (end == 0) {
      EXPECT_GE(nth, 4) << "write, sync, rename, sync of the name";
      return;
    }
  }
  FAIL() << "commit never ended";
}

const std::string upload_id(32, 'a');

// The same of an upload that began with a crash's beginning and goes on to its blob.
[[noreturn]] void upload_and_die(const std::filesystem::path& data, int nth) {
  try {
    async::BlockingPool pool(1);
    auto store = open_filesystem_store(data, pool);
    FaultyFiles::die_before(nth);
    auto spool = store->begin_upload(upload_id, oci::Algorithm::sha256, "notes");
    spool->append(base::as_bytes("con"));
    spool.reset();
    spool = run_task(store->resume_upload(upload_id, oci::Algorithm::sha256));
    spool->append(base::as_bytes("tent"));
    run_task(store->commit(std::move(spool), digest_of("content")));
    _exit(0);
  } catch (...) {
    _exit(1);
  }
}

std::vector<std::string> notes_in(const BlobStore& store) {
  std::vector<std::string> notes;
  store.uploads([&](const BlobStore::UploadFile& file) { notes.push_back(file.notes); });
  return notes;
}

// Rows: D-01, D-02
TEST_F(StoreFaults, dying_at_any_step_of_an_upload_leaves_all_of_it_or_nothing_of_it) {
  constexpr int died = 9;
  constexpr int most_calls = 100;
  for (int nth = 1; nth < most_calls; ++nth) {
    const test::TempDir data;
    const pid_t child = fork();
    if (child == 0) upload_and_die(data.path(), nth);
    const int end = end_of(child);
    ASSERT_TRUE(end == died || end == 0) << end;
    async::BlockingPool pool(1);
    auto store = open_filesystem_store(data.path(), pool);
    const auto notes = notes_in(*store);
    auto spool = run_task(store->resume_upload(upload_id, oci::Algorithm::sha256));
    EXPECT_EQ(notes.size(), spool ? 1U : 0U) << nth;
    if (spool) {
      EXPECT_EQ(notes.front(), "notes");
      EXPECT_EQ(spool->digest(), digest_of(std::string_view("content").substr(0, spool->size())));
    } else {
      EXPECT_TRUE(std::filesystem::is_empty(data.path() / layout::spool)) << nth;
    }
    if (end == 0) {
      EXPECT_TRUE(store->find(digest_of("content")));
      EXPECT_GE(nth, 7) << "notes, their name, two writes, sync, rename, sync of the name";
      return;
    }
  }
  FAIL() << "the upload never ended";
}

// Rows: D-06
TEST_F(StoreFaults, a_failed_flush_ends_the_process) {
  for (const auto call : {Call::fdatasync, Call::fsync}) {
    const test::TempDir data;
    EXPECT_EXIT(
        {
          async::BlockingPool pool(1);
          auto store = open_filesystem_store(data.path(), pool);
          auto spool = spool_with(*store, "content");
          FaultyFiles::fail(call, EIO);
          run_task(store->commit(std::move(spool), digest_of("content")));
        },
        testing::ExitedWithCode(70), "disk failed");
  }
}

// Rows: D-03
TEST_F(StoreFaults, other_errors_of_commit_are_told_and_leave_nothing) {
  const test::TempDir data;
  async::BlockingPool pool(1);
  auto store = open_filesystem_store(data.path(), pool);
  for (const auto call : {Call::fdatasync, Call::renameat2}) {
    auto spool = spool_with(*store, "content");
    FaultyFiles::fail(call, ENOSPC);
    EXPECT_THROW(run_task(store->commit(std::move(spool), digest_of("content"))),
                 std::system_error);
    FaultyFiles::clear();
    EXPECT_FALSE(store->find(digest_of("content")));
    EXPECT_TRUE(std::filesystem::is_empty(data.path() / layout::spool));
  }
}

TEST_F(StoreFaults, a_file_system_without_renameat2_will_do) {
  const test::TempDir data;
  async::BlockingPool pool(1);
  auto store = open_filesystem_store(data.path(), pool);
  FaultyFiles::fail(Call::renameat2, EINVAL);
  for (int times = 0; times < 2; ++times) {
    run_task(store->commit(spool_with(*store, "content"), digest_of("content")));
    EXPECT_EQ(store->find(digest_of("content"))->size, 7U);
  }
  EXPECT_TRUE(std::filesystem::is_empty(data.path() / layout::spool));
}

// Rows: D-15
TEST_F(StoreFaults, a_file_system_that_cannot_rename_is_refused_at_start) {
  const test::TempDir data;
  async::BlockingPool pool(1);
  FaultyFiles::fail(Call::renameat, EXDEV);
  EXPECT_THROW(open_filesystem_store(data.path(), pool), std::system_error);
  FaultyFiles::fail(Call::fdatasync, EINVAL);
  EXPECT_THROW(open_filesystem_store(data.path(), pool), std::system_error);
  FaultyFiles::clear();
  EXPECT_NO_THROW(open_filesystem_store(data.path(), pool));
}

// Rows: C-11, D-07
TEST_F(StoreFaults, a_full_disk_cuts_back_and_goes_on_when_there_is_room) {
  const test::SmallFileSystem disk("4m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  async::BlockingPool pool(1);
  auto store = open_filesystem_store(disk.path(), pool);
  const std::string large(3 << 20, 'x');
  auto spool = spool_with(*store, large);
  try {
    spool->append(base::as_bytes(large));
    FAIL() << "6 MiB on 4";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOSPC);
  }
  EXPECT_EQ(spool->size(), large.size());
  EXPECT_EQ(spool->digest(), digest_of(large));
  EXPECT_LT(store->free_bytes(), large.size());
  EXPECT_EQ(test::file_text(*spool).size(), large.size()) << "cut back to what counts";
  run_task(store->commit(std::move(spool), digest_of(large)));
  EXPECT_EQ(store->find(digest_of(large))->size, large.size());
  store->remove(digest_of(large));
  run_task(store->commit(spool_with(*store, std::string(3 << 20, 'y')),
                         digest_of(std::string(3 << 20, 'y'))));
}

// Rows: D-07
TEST_F(StoreFaults, a_full_disk_does_not_keep_us_from_starting) {
  const test::SmallFileSystem disk("2m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  async::BlockingPool pool(1);
  auto store = open_filesystem_store(disk.path(), pool);
  run_task(store->commit(spool_with(*store, "content"), digest_of("content")));
  auto filler = store->begin(oci::Algorithm::sha256);
  const std::string page(4096, 'x');
  EXPECT_THROW(
      {
        for (;;) filler->append(base::as_bytes(page));
      },
      std::system_error);
  store.reset();
  store = open_filesystem_store(disk.path(), pool);
  EXPECT_EQ(store->find(digest_of("content"))->size, 7U);
}

}  // namespace
}  // namespace entrepot::store::store_faults_test
