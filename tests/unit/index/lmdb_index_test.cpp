// What is LMDB's own: the map's end, readers that died, the schema, damaged files.
#include "index/lmdb_index.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "index/environment.hpp"
#include "index/lmdb_error.hpp"
#include "index/lmdb_view.hpp"
#include "index/records.hpp"
#include "old_index.hpp"
#include "support/catalog_words.hpp"
#include "support/faulty_files.hpp"
#include "support/run_task.hpp"

namespace entrepot::index::lmdb_index_test {
namespace {

using test::run_task;

constexpr LmdbOptions tiny{mebibyte / 4, mebibyte, mebibyte / 4};
constexpr Space space{100};

void put_row(Index& index, int number, const std::string& value) {
  run_task(index.write([&](Batch& batch) {
    batch.put(space, Key().number(static_cast<std::uint64_t>(number)), base::as_bytes(value));
  }));
}

void erase_row(Index& index, int number) {
  run_task(index.write(
      [&](Batch& batch) { batch.erase(space, Key().number(static_cast<std::uint64_t>(number))); }));
}

int rows_in(Index& index) {
  return run_task(index.read([](const View& view) {
    int rows = 0;
    view.scan(space, {}, {}, [&](base::ByteView, base::ByteView) {
      ++rows;
      return Continue::yes;
    });
    return rows;
  }));
}

// Rows until there is no room, at most `most`.
int fill(Index& index, int most) {
  const std::string value(10'000, 'v');
  for (int number = 0; number < most; ++number) {
    try {
      put_row(index, number, value);
    } catch (const IndexFull&) {
      return number;
    }
  }
  return most;
}

// Rows: B-01
TEST(LmdbIndex, the_map_grows_up_to_its_limit_and_can_be_emptied_there) {
  const test::TempDir data;
  const auto index = open_lmdb_index(data.path(), tiny);
  const int held = fill(*index, 1000);
  EXPECT_GT(held, 40) << "more than the first quarter";
  EXPECT_LT(held, 105) << "no more than the limit";
  EXPECT_EQ(rows_in(*index), held) << "reads go on";
  put_row(*index, 1'000'000, "small");
  for (int number = 0; number < held; ++number) erase_row(*index, number);
  EXPECT_EQ(rows_in(*index), 1);
  EXPECT_GT(fill(*index, 1000), held / 2) << "what was freed is used again";
}

async::Task<int> put_many(Index& index, std::uint64_t first, int count, std::size_t size) {
  const std::string value(size, 'v');
  int stored = 0;
  for (int i = 0; i < count; ++i) {
    const auto number = first + static_cast<std::uint64_t>(i);
    try {
      co_await index.write(
          [&](Batch& batch) { batch.put(space, Key().number(number), base::as_bytes(value)); });
      ++stored;
    } catch (const IndexFull&) {
    }
  }
  co_return stored;
}

async::Task<int> read_many(Index& index, int times) {
  int seen = 0;
  for (int i = 0; i < times; ++i) {
    seen = co_await index.read([](const View& view) {
      int rows = 0;
      view.scan(space, {}, {}, [&](base::ByteView, base::ByteView value) {
        rows += value.empty() ? 0 : 1;
        return Continue::yes;
      });
      return rows;
    });
  }
  co_return seen;
}

// Rows: B-01
TEST(LmdbIndex, a_crowd_that_outgrows_the_map_gets_in_while_others_read) {
  const test::TempDir data;
  const auto index = open_lmdb_index(data.path(), {mebibyte, 64 * mebibyte, mebibyte});
  test::RunningRuntime runtime(3);
  std::vector<std::future<int>> ends;
  for (std::uint64_t i = 0; i < 20; ++i) {
    ends.push_back(runtime.start(i % 3, put_many(*index, i * 1000, 40, 9000)));
  }
  for (std::size_t i = 0; i < 3; ++i) ends.push_back(runtime.start(i, read_many(*index, 50)));
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(ends[i].get(), 40);
  for (std::size_t i = 20; i < ends.size(); ++i) ends[i].get();
  EXPECT_EQ(rows_in(*index), 800);
}

// Rows: B-02, D-07
TEST(LmdbIndex, a_full_disk_refuses_writes_and_harms_nothing) {
  const test::SmallFileSystem disk("2m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  int held = 0;
  {
    const auto index = open_lmdb_index(disk.path());
    held = fill(*index, 1000);
    EXPECT_GT(held, 50);
    EXPECT_LT(held, 210);
    EXPECT_EQ(rows_in(*index), held);
  }
  const auto index = open_lmdb_index(disk.path());
  EXPECT_EQ(rows_in(*index), held) << "what was acknowledged is there";
}

// Rows: B-01, D-07
TEST(LmdbIndex, in_a_crowd_on_a_full_disk_each_hears_for_itself) {
  const test::SmallFileSystem disk("2m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  const auto index = open_lmdb_index(disk.path());
  test::RunningRuntime runtime(2);
  std::vector<std::future<int>> ends;
  for (std::uint64_t i = 0; i < 30; ++i) {
    ends.push_back(runtime.start(i % 2, put_many(*index, i * 1000, 20, 9000)));
  }
  int stored = 0;
  for (auto& end : ends) stored += end.get();
  EXPECT_GT(stored, 50);
  EXPECT_EQ(rows_in(*index), stored) << "acknowledged and only acknowledged rows are there";
}

class FaultyIndex : public testing::Test {
 protected:
  ~FaultyIndex() override { test::FaultyFiles::clear(); }
};

// Rows: D-06
TEST_F(FaultyIndex, a_failed_sync_ends_the_process) {
  const test::TempDir data;
  EXPECT_EXIT(
      {
        const auto index = open_lmdb_index(data.path());
        put_row(*index, 1, "one");
        test::FaultyFiles::fail(test::Call::fdatasync, EIO);
        put_row(*index, 2, "two");
      },
      testing::ExitedWithCode(70), "index failed");
  const auto index = open_lmdb_index(data.path());
  EXPECT_EQ(rows_in(*index), 1);
}

// Rows: D-02, D-12
TEST_F(FaultyIndex, dying_at_any_call_of_a_commit_keeps_what_was_acknowledged) {
  const test::TempDir data;
  put_row(*open_lmdb_index(data.path()), 0, "zero");
  bool ended = false;
  for (int nth = 1; nth < 20 && !ended; ++nth) {
    const pid_t child = fork();
    if (child == 0) {
      const auto index = open_lmdb_index(data.path());
      test::FaultyFiles::die_before(nth);
      put_row(*index, nth, "later");
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const auto index = open_lmdb_index(data.path());
    run_task(index->read([&](const View& view) {
      EXPECT_TRUE(view.get(space, Key().number(0)));
      if (ended) {
        EXPECT_TRUE(view.get(space, Key().number(static_cast<std::uint64_t>(nth))));
      }
    }));
  }
  EXPECT_TRUE(ended);
}

// What a file holds, read without opening it as an index, which would migrate it.
RowMap rows_as_they_lie(const std::filesystem::path& directory) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi tree = 0;
  check_lmdb(mdb_env_create(&env), "create");
  check_lmdb(mdb_env_open(env, directory.c_str(), MDB_NOTLS | MDB_RDONLY, 0600), "open");
  check_lmdb(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn), "begin");
  check_lmdb(mdb_dbi_open(txn, nullptr, 0, &tree), "open tree");
  auto rows = all_rows(LmdbView(txn, tree));
  mdb_txn_abort(txn);
  mdb_env_close(env);
  return rows;
}

// Rows: D-12
TEST_F(FaultyIndex, dying_at_any_call_of_a_migration_leaves_the_old_index_or_the_new) {
  const test::TempDir data;
  RowMap migrated;
  RowMap old;
  {
    const auto index = open_lmdb_index(data.path());
    run_task(index->write([](Batch& batch) { fill_with_everything(batch, 50); }));
    migrated = run_task(index->read(all_rows));
    run_task(index->write(make_old));
    old = run_task(index->read(all_rows));
  }
  bool ended = false;
  int deaths = 0;
  for (int nth = 1; nth < 50 && !ended; ++nth) {
    const test::TempDir copy;
    std::filesystem::copy(data.path() / "index", copy.path() / "index");
    const pid_t child = fork();
    if (child == 0) {
      test::FaultyFiles::die_before(nth);
      open_lmdb_index(copy.path());
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    deaths += ended ? 0 : 1;
    const auto found = rows_as_they_lie(copy.path() / "index");
    EXPECT_TRUE(found == migrated || (found == old && !ended)) << nth;
    EXPECT_EQ(differing(run_task(open_lmdb_index(copy.path())->read(all_rows)), migrated).size(),
              0U)
        << nth;
  }
  EXPECT_TRUE(ended);
  EXPECT_GT(deaths, 2);
}

// A process that reads and dies in the middle of it.
void die_reading(const std::filesystem::path& directory) {
  const pid_t child = fork();
  if (child == 0) {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    mdb_env_create(&env);
    mdb_env_set_mapsize(env, gibibyte);
    mdb_env_open(env, directory.c_str(), MDB_NOTLS, 0600);
    mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
}

int reader_slots_taken(MDB_env* env) {
  int lines = 0;
  const auto count = [](const char* text, void* context) {
    // A line a reader, after a heading; or one line that there are none.
    if (std::string_view(text).find_first_of("0123456789") != std::string_view::npos) {
      ++*static_cast<int*>(context);
    }
    return 0;
  };
  mdb_reader_list(env, count, &lines);
  return lines;
}

// Rows: B-04
TEST(LmdbIndex, slots_of_killed_readers_are_freed) {
  constexpr int killed = 130;  // LMDB's default is 126 slots
  const test::TempDir data;
  const auto directory = data.path() / "index";
  Environment environment(directory, LmdbOptions{});
  for (int i = 0; i < killed; ++i) die_reading(directory);
  EXPECT_GE(reader_slots_taken(environment.get()), killed);
  environment.check_readers();
  EXPECT_EQ(reader_slots_taken(environment.get()), 0);
}

// Rows: B-06
TEST(LmdbIndex, one_object_a_directory) {
  const test::TempDir data;
  auto first = open_lmdb_index(data.path());
  EXPECT_THROW(open_lmdb_index(data.path()), std::runtime_error);
  put_row(*first, 1, "still mine");
  first.reset();
  EXPECT_EQ(rows_in(*open_lmdb_index(data.path())), 1);
}

// Rows: D-12
TEST(LmdbIndex, a_newer_schema_is_refused_with_a_sentence) {
  const test::TempDir data;
  run_task(open_lmdb_index(data.path())->write([](Batch& batch) {
    batch.put(Space::meta, base::as_bytes(schema_row), base::as_bytes(encode_number(99)));
  }));
  try {
    open_lmdb_index(data.path());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("newer"));
    EXPECT_THAT(error.what(), testing::HasSubstr("99"));
  }
}

// Rows: D-13
TEST(LmdbIndex, a_file_that_is_no_index_is_refused) {
  const test::TempDir data;
  std::filesystem::create_directory(data.path() / "index");
  std::ofstream(data.path() / "index" / "data.mdb") << std::string(20'000, '\0');
  EXPECT_THROW(open_lmdb_index(data.path()), std::runtime_error);
}

// Rows: B-05
TEST(LmdbIndex, an_address_space_too_small_halves_the_map) {
  const test::TempDir data;
  // 2^50 bytes are more than any x86-64 process has with four-level page tables.
  const auto index = open_lmdb_index(data.path(), {std::size_t{1} << 50, 0, 0});
  put_row(*index, 1, "fits");
  EXPECT_EQ(rows_in(*index), 1);
}

async::Task<int> write_forever(Index& index, int count) {
  for (int i = 0; i < count; ++i) {
    co_await index.write([&](Batch& batch) {
      batch.put(space, Key().number(static_cast<std::uint64_t>(i)), base::as_bytes("x"));
    });
  }
  co_return count;
}

// A writer that goes on and on, on a thread of its own, until the test ends one side.
class EndlessWriter {
 public:
  explicit EndlessWriter(Index& index)
      : runtime_(std::make_unique<test::RunningRuntime>(1)),
        end_(runtime_->start(0, write_forever(index, 1 << 30))) {
    while (rows_in(index) < 3) std::this_thread::yield();
  }
  void stop() { runtime_->stop(); }
  void destroy() { runtime_.reset(); }

 private:
  std::unique_ptr<test::RunningRuntime> runtime_;
  std::future<int> end_;
};

TEST(LmdbIndex, closes_before_the_threads_of_its_writers_are_gone) {
  const test::TempDir data;
  auto index = open_lmdb_index(data.path());
  EndlessWriter writer(*index);
  writer.stop();
  index.reset();
  writer.destroy();
  EXPECT_GE(rows_in(*open_lmdb_index(data.path())), 3);
}

TEST(LmdbIndex, survives_writers_that_vanish_with_their_threads) {
  const test::TempDir data;
  const auto index = open_lmdb_index(data.path());
  EndlessWriter(*index).destroy();
  put_row(*index, 1 << 30, "goes on");
}

}  // namespace
}  // namespace entrepot::index::lmdb_index_test
