// An index of schema 1 becomes one of today's when it is opened. What a crash leaves meanwhile:
// lmdb_index_test.cpp.
#include "index/migration.hpp"

#include <gmock/gmock.h>

#include "entrepot/index/collection.hpp"
#include "entrepot/index/journal.hpp"
#include "index/lmdb_index.hpp"
#include "old_index.hpp"
#include "support/run_task.hpp"

namespace entrepot::index::migration_test {
namespace {

using test::run_task;

class Migrated : public Catalog {};
INSTANTIATE_TEST_SUITE_P(every, Migrated, testing::ValuesIn(test::index_kinds()), test::kind_name);

// Rows: D-12
TEST_P(Migrated, it_is_the_index_that_would_have_grown) {
  for (const int repositories : {0, 1, 20}) {
    write([&](Batch& batch) { fill_with_everything(batch, repositories); });
    const auto expected = read(all_rows);
    write(make_old);
    write([](Batch& batch) { migrate(batch, at(12345)); });
    // The memory index was never opened, so until then it has no number.
    EXPECT_THAT(differing(read(all_rows), expected),
                testing::IsSubsetOf({"1 " + base::to_hex(base::as_bytes(schema_row))}))
        << repositories;
  }
}

// Rows: D-12
TEST_P(Migrated, from_schema_2_it_is_the_index_that_would_have_grown) {
  write([](Batch& batch) { fill_with_everything(batch, 20); });
  const auto expected = read(all_rows);
  const auto sum = read([](const View& view) { return usage_sum(view, "*"); });
  EXPECT_EQ(sum.bytes, 10 * 1007U);
  write(make_schema_2);
  EXPECT_EQ(read([](const View& view) { return usage_sum(view, "*"); }).links, 0U);
  write([](Batch& batch) { migrate(batch, at(12345)); });
  EXPECT_THAT(differing(read(all_rows), expected),
              testing::IsSubsetOf({"1 " + base::to_hex(base::as_bytes(schema_row))}));
}

// Rows: D-12
TEST_P(Migrated, an_index_without_a_site_is_given_one_and_its_history_is_signed_with_it) {
  write([](Batch& batch) {
    fill_with_everything(batch, 5);
    make_schema_2(batch);
    batch.erase(Space::meta, base::as_bytes(site_row));
    batch.erase(Space::meta, base::as_bytes(journal_id_row));
    migrate(batch, at(12345));
  });
  read([](const View& view) {
    EXPECT_EQ(site_id(view).size(), 32U);
    EXPECT_EQ(journal_id(view).size(), 32U);
    for (const auto& change : changes(view, 0, 1000)) {
      EXPECT_EQ(change.version.site, site_id(view)) << change.sequence;
    }
    EXPECT_FALSE(dropped_after(view, 0));
  });
}

// Rows: D-12
TEST_P(Migrated, it_knows_how_far_the_journal_was_dropped) {
  write([](Batch& batch) {
    fill_with_everything(batch, 5);
    drop_history(batch, at(3), 1000);
    make_schema_2(batch);
  });
  const auto newest_gap = read([](const View& view) {
    std::uint64_t gap = newest_change(view);
    while (journal_row(view, gap)) --gap;
    return gap;
  });
  write([](Batch& batch) { migrate(batch, at(12345)); });
  read([&](const View& view) {
    EXPECT_TRUE(dropped_after(view, newest_gap - 1));
    EXPECT_FALSE(dropped_after(view, newest_gap));
  });
}

TEST_P(Migrated, its_links_begin_their_time) {
  write([](Batch& batch) {
    fill_with_everything(batch, 2);
    make_old(batch);
    migrate(batch, at(12345));
  });
  read([](const View& view) {
    LinkCursor cursor;
    const auto rows = local_links(view, cursor, 100);
    ASSERT_EQ(rows.size(), 4U);
    for (const auto& row : rows) EXPECT_EQ(row.since, at(12345)) << row.digest.text();
    EXPECT_EQ(usage(view, repo("app0")).bytes, 1007U);
    EXPECT_EQ(usage(view, repo("app0")).tags, 1U);
  });
}

// Rows: D-12
TEST(Migration, happens_at_open_and_makes_the_map_grow) {
  const test::TempDir data;
  const LmdbOptions roomy{mebibyte * 64, 0, 0};
  RowMap expected;
  {
    const auto index = open_lmdb_index(data.path(), roomy);
    run_task(index->write([](Batch& batch) { fill_with_everything(batch, 600); }));
    expected = run_task(index->read(all_rows));
    run_task(index->write(make_old));
  }
  const auto size = std::filesystem::file_size(data.path() / "index" / "data.mdb");
  const auto index = open_lmdb_index(data.path(), {size, size * 8, 0});
  EXPECT_THAT(differing(run_task(index->read(all_rows)), expected), testing::IsEmpty());
}

}  // namespace
}  // namespace entrepot::index::migration_test
