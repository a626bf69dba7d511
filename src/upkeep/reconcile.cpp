#include "upkeep/reconcile.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "entrepot/async/together.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/collection.hpp"

namespace entrepot::upkeep {

namespace {

constexpr std::size_t files_a_page = 2048;
constexpr std::size_t rows_a_page = 512;
// More lost blobs than both of these are a disk that is not there, not blobs that are lost.
constexpr std::size_t lost_always_believed = 100;
constexpr std::size_t lost_one_in = 10;

using Digests = std::vector<oci::Digest>;

bool stands(const index::View& view, const index::HeldBlob& row) {
  const auto now = index::blob(view, row.digest);
  return now && now->size == row.record.size && now->stored == row.record.stored;
}

// ---- files without a row -----------------------------------------------------------------------

async::Task<Digests> without_row(Round& round, const Digests& files) {
  // What this round removed lies there still when it is a dry run: it asks the index as it stands.
  co_return co_await round.house.index.read([&](const index::View& view) {
    Digests unknown;
    std::ranges::copy_if(files, std::back_inserter(unknown),
                         [&](const auto& file) { return !index::blob(view, file).has_value(); });
    return unknown;
  });
}

struct File {
  std::uint64_t size = 0;
  base::WallTime written;
};

std::optional<File> file_of(store::BlobStore& store, const oci::Digest& digest) {
  const auto info = store.find(digest);
  const auto written = store.written(digest);
  if (!info || !written) return std::nullopt;
  return File{info->size, *written};
}

async::Task<> set_aside(Round& round, oci::Digest digest) {
  auto& house = round.house;
  const auto alone = co_await house.admission.alone_with(digest);
  const auto claimed = co_await house.index.read(
      [&](const index::View& view) { return index::blob(view, digest).has_value(); });
  if (claimed) co_return;
  const auto file = co_await house.pool.run([&] { return file_of(house.store, digest); });
  if (!file || round.young(file->written)) co_return;
  if (!round.dry) {
    base::log::warn("stored file without a record, moved to trash", {{"digest", digest.text()}});
    co_await house.pool.run([&] { house.store.trash(digest); });
  }
  round.removed({.kind = Removal::Kind::unknown_file,
                 .repository = {},
                 .digest = digest,
                 .bytes = file->size,
                 .reason = "a file without a row"});
}

// ---- rows without a file -----------------------------------------------------------------------

// Opening takes a damaged file out of the way, so that it can be had again.
bool lost(store::BlobStore& store, const index::HeldBlob& row) {
  const auto info = store.find(row.digest);
  return !info || info->size != row.record.size;
}

std::vector<index::HeldBlob> lost_among(store::BlobStore& store,
                                        const std::vector<index::HeldBlob>& rows) {
  std::vector<index::HeldBlob> found;
  std::ranges::copy_if(rows, std::back_inserter(found),
                       [&](const auto& row) { return lost(store, row); });
  return found;
}

struct Forgotten {
  bool done = false;
  index::BlobTotals before;
  index::BlobTotals after;
};

Forgotten forget(index::Batch& batch, const index::HeldBlob& row) {
  Forgotten forgotten;
  if (!stands(batch, row)) return forgotten;
  forgotten.before = index::blob_totals(batch);
  index::forget_blob(batch, row.digest);
  forgotten.after = index::blob_totals(batch);
  forgotten.done = true;
  return forgotten;
}

async::Task<> forget_one(Round& round, index::HeldBlob row) {
  auto& house = round.house;
  const auto alone = co_await house.admission.alone_with(row.digest);
  const bool still_lost = co_await house.pool.run([&] {
    if (!lost(house.store, row)) return false;
    return round.dry || house.store.open(row.digest, row.record.size) == nullptr;
  });
  if (!still_lost) co_return;
  const auto forgotten =
      co_await round.decide([&](index::Batch& batch) { return forget(batch, row); });
  if (!forgotten.done) co_return;
  if (!round.dry) {
    base::log::error("stored blob lost", {{"digest", row.digest.text()}});
    house.metrics.store_changed(
        static_cast<std::int64_t>(forgotten.after.bytes - forgotten.before.bytes),
        static_cast<std::int64_t>(forgotten.after.blobs - forgotten.before.blobs));
  }
  round.removed({.kind = Removal::Kind::lost_row,
                 .repository = {},
                 .digest = row.digest,
                 .bytes = row.record.size,
                 .reason = "a row without its file"});
}

void check_believable(std::size_t lost, std::size_t rows) {
  if (lost <= std::max(lost_always_believed, rows / lost_one_in)) return;
  throw std::runtime_error(std::to_string(lost) + " of " + std::to_string(rows) +
                           " blobs have no file: is the store's disk there? Nothing was forgotten");
}

}  // namespace

async::Task<> set_unknown_files_aside(Round& round) {
  auto& house = round.house;
  std::optional<oci::Digest> after;
  for (bool more = true; more && !round.stopped();) {
    const auto files =
        co_await house.pool.run([&] { return house.store.list(after, files_a_page); });
    more = files.size() == files_a_page;
    if (!files.empty()) after = files.back();
    round.report.looked_at += files.size();
    for (const auto& digest : co_await without_row(round, files)) {
      if (round.stopped()) co_return;
      co_await set_aside(round, digest);
    }
  }
}

async::Task<> forget_lost_blobs(Round& round) {
  std::vector<index::HeldBlob> missing;
  std::optional<oci::Digest> after;
  std::size_t looked_at = 0;
  for (bool more = true; more && !round.stopped();) {
    const auto rows = co_await round.look(
        [&](const index::View& view) { return index::held_blobs(view, after, rows_a_page); });
    more = rows.size() == rows_a_page;
    if (!rows.empty()) after = rows.back().digest;
    looked_at += rows.size();
    const auto found =
        co_await round.house.pool.run([&] { return lost_among(round.house.store, rows); });
    std::ranges::copy(found, std::back_inserter(missing));
  }
  round.report.looked_at += looked_at;
  check_believable(missing.size(), looked_at);
  for (const auto& row : missing) {
    if (round.stopped()) co_return;
    co_await forget_one(round, row);
  }
}

}  // namespace entrepot::upkeep
