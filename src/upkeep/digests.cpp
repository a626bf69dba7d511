#include "upkeep/digests.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "entrepot/async/together.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/collection.hpp"

namespace entrepot::upkeep {

namespace {

constexpr std::size_t rows_a_page = 512;
constexpr std::size_t judgements_a_transaction = 200;
// Nobody may hold two stripes, so digests of different ones are different transactions; the index
// commits as many of them at once as are waiting.
constexpr std::size_t at_once = 32;
constexpr std::size_t digests_a_turn = 4096;

using Digests = std::vector<oci::Digest>;

struct Erased {
  oci::Digest digest;
  std::optional<std::uint64_t> blob;  // bytes
  std::optional<std::uint64_t> manifest;
};

struct Verdict {
  std::vector<Erased> erased;
  index::BlobTotals before;
  index::BlobTotals after;
};

Verdict erase(index::Batch& batch, const Digests& digests) {
  Verdict verdict{.erased = {}, .before = index::blob_totals(batch), .after = {}};
  for (const auto& digest : digests) {
    Erased one{.digest = digest, .blob = {}, .manifest = {}};
    if (const auto record = index::blob(batch, digest)) one.blob = record->size;
    if (const auto info = index::manifest_info(batch, digest)) one.manifest = info->size;
    if (!one.blob && !one.manifest) continue;
    if (index::erase_unlinked(batch, digest)) verdict.erased.push_back(one);
  }
  verdict.after = index::blob_totals(batch);
  return verdict;
}

void tell(Round& round, const Verdict& verdict) {
  for (const auto& [digest, blob, manifest] : verdict.erased) {
    Removal removal{.repository = {}, .digest = digest, .reason = "linked nowhere"};
    if (manifest) {
      removal.kind = Removal::Kind::manifest;
      removal.bytes = *manifest;
      round.removed(removal);
    }
    if (blob) {
      removal.kind = Removal::Kind::blob;
      removal.bytes = *blob;
      round.removed(removal);
    }
  }
}

void remove_files(store::BlobStore& store, const Verdict& verdict) {
  for (const auto& erased : verdict.erased) {
    if (erased.blob) store.remove(erased.digest);
  }
}

async::Task<> rehearse(Round& round, Digests digests) {
  std::erase_if(digests, [&](const auto& one) {
    return round.house.leases.leased(one, round.options.grace);
  });
  const auto verdict =
      co_await round.decide([&](index::Batch& batch) { return erase(batch, digests); });
  tell(round, verdict);
}

// REQUIRES: all of one stripe, at least one.
async::Task<> remove(Round& round, Digests digests) {
  auto& house = round.house;
  const auto alone = co_await house.admission.alone_with(digests.front());
  std::vector<registry::LeaseTable::Judgement> judgements;
  std::erase_if(digests, [&](const auto& digest) {
    auto judgement = house.leases.close(digest, round.options.grace);
    const bool leased = !judgement;
    if (!leased) judgements.push_back(std::move(judgement));
    return leased;
  });
  if (digests.empty()) co_return;
  const auto verdict =
      co_await house.index.write([&](index::Batch& batch) { return erase(batch, digests); });
  house.metrics.store_changed(
      static_cast<std::int64_t>(verdict.after.bytes - verdict.before.bytes),
      static_cast<std::int64_t>(verdict.after.blobs - verdict.before.blobs));
  co_await house.pool.run([&] { remove_files(house.store, verdict); });
  tell(round, verdict);
}

// Digests that one Stripe covers, some hundred together.
std::vector<Digests> groups_of(const std::vector<index::Unlinked>& rows) {
  std::vector<Digests> groups;
  for (const auto& row : rows) {
    const bool fits = !groups.empty() && groups.back().size() < judgements_a_transaction &&
                      registry::Admission::stripe_of(groups.back().front()) ==
                          registry::Admission::stripe_of(row.digest);
    if (!fits) groups.emplace_back();
    groups.back().push_back(row.digest);
  }
  return groups;
}

// Takes from the list until nothing is left on it; several do at once. One that fails ends it for
// all.
async::Task<> work_off(Round& round, std::vector<Digests>& list) {
  try {
    while (!list.empty() && !round.stopped()) {
      auto group = std::move(list.back());
      list.pop_back();
      if (round.dry) {
        co_await rehearse(round, std::move(group));
      } else {
        co_await remove(round, std::move(group));
      }
    }
  } catch (...) {
    list.clear();
    throw;
  }
}

async::Task<> remove_all(Round& round, std::vector<index::Unlinked> rows) {
  auto groups = groups_of(rows);
  std::vector<async::Task<>> workers;
  for (std::size_t i = 0; i < std::min(at_once, groups.size()); ++i) {
    workers.push_back(work_off(round, groups));
  }
  co_await async::together(std::move(workers));
}

}  // namespace

async::Task<> collect_digests(Round& round) {
  std::vector<index::Unlinked> found;
  std::optional<oci::Digest> after;
  do {
    auto page = co_await round.look(
        [&](const index::View& view) { return index::unlinked(view, after, rows_a_page); });
    round.report.looked_at += page.found.size();
    after = page.next;
    std::ranges::move(page.found, std::back_inserter(found));
    if (!after || found.size() >= digests_a_turn) {
      co_await remove_all(round, std::exchange(found, {}));
    }
    co_await async::give_way();
  } while (after && !round.stopped());
}

}  // namespace entrepot::upkeep
