// An older copy of data.mdb that is put back is noticed.
#include "index/journal_mark.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "entrepot/index/journal.hpp"
#include "index/lmdb_index.hpp"
#include "support/catalog_words.hpp"
#include "support/run_task.hpp"

namespace entrepot::index::journal_mark_test {
namespace {

namespace fs = std::filesystem;
using test::run_task;

class JournalIdentity : public testing::Test {
 protected:
  // Opens, changes a tag so many times, closes.
  std::string run(int changes) {
    const auto index = open_lmdb_index(data_.path());
    for (int i = 0; i < changes; ++i) {
      ++count_;
      run_task(index->write([&](Batch& batch) {
        set_tag(batch, repo("app"), tag_of("t"), sha256(std::to_string(count_)), at(count_),
                Cause::push);
      }));
    }
    return run_task(index->read(journal_id));
  }
  fs::path file() const { return data_.path() / "index" / "data.mdb"; }
  fs::path backup() const { return data_.path() / "backup"; }

  test::TempDir data_;
  int count_ = 0;
};

TEST_F(JournalIdentity, stays_over_restarts) {
  const auto id = run(0);
  EXPECT_EQ(run(3), id);
  EXPECT_EQ(run(0), id);
  EXPECT_EQ(run(1), id);
}

TEST_F(JournalIdentity, is_another_one_when_an_older_file_was_put_back) {
  const auto id = run(3);
  fs::copy_file(file(), backup());
  EXPECT_EQ(run(2), id);
  fs::rename(backup(), file());
  const auto after = run(0);
  EXPECT_NE(after, id);
  EXPECT_EQ(run(5), after);
}

TEST_F(JournalIdentity, is_another_one_when_older_bytes_were_written_into_the_file) {
  const auto id = run(3);
  fs::copy_file(file(), backup());
  EXPECT_EQ(run(2), id);
  fs::copy_file(backup(), file(), fs::copy_options::overwrite_existing);
  EXPECT_NE(run(0), id);
}

TEST_F(JournalIdentity, is_another_one_when_all_was_copied_elsewhere_or_the_mark_is_lost) {
  const auto id = run(3);
  fs::remove(data_.path() / "index" / "journal.mark");
  const auto second = run(0);
  EXPECT_NE(second, id);
  fs::copy_file(file(), backup());
  fs::rename(backup(), file());
  EXPECT_NE(run(0), second);
}

TEST_F(JournalIdentity, survives_a_mark_that_lags_or_is_damaged) {
  const auto id = run(3);
  const auto mark = data_.path() / "index" / "journal.mark";
  fs::copy_file(mark, backup());
  EXPECT_EQ(run(3), id);
  fs::copy_file(backup(), mark, fs::copy_options::overwrite_existing);
  EXPECT_EQ(run(0), id) << "as after a loss of power";
  fs::resize_file(mark, 10);
  EXPECT_NE(run(0), id);
}

}  // namespace
}  // namespace entrepot::index::journal_mark_test
