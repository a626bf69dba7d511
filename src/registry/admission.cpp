#include "entrepot/registry/admission.hpp"

#include <chrono>
#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {

namespace {
constexpr std::chrono::hours for_ever{24 * 365};
}  // namespace

Admission::Admission(index::Index& index, store::BlobStore& store, const base::Clock& clock,
                     base::Metrics& metrics)
    : index_(index), store_(store), clock_(clock), metrics_(metrics) {
  for (auto& stripe : stripes_) stripe = std::make_unique<async::Limiter>(1);
}

async::Task<Admission::Stripe> Admission::alone_with(oci::Digest digest) {
  const auto number = std::to_integer<std::size_t>(digest.raw().front());
  co_return std::move(co_await stripes_[number]->acquire(for_ever)).value();
}

async::Task<> Admission::admit(std::unique_ptr<store::Spool> spool, oci::Digest digest,
                               std::function<void(index::Batch&)> with) {
  const auto stripe = co_await alone_with(digest);
  co_await admit_held(std::move(spool), digest, std::move(with));
}

async::Task<> Admission::admit_held(std::unique_ptr<store::Spool> spool, oci::Digest digest,
                                    std::function<void(index::Batch&)> with) {
  const auto blob = co_await store_.commit(std::move(spool), digest);
  std::exception_ptr refused;
  try {
    co_await record(digest, blob.size, std::move(with));
  } catch (const oci::Refusal&) {
    refused = std::current_exception();
  } catch (const index::IndexFull&) {
    refused = std::current_exception();
  }
  if (!refused) co_return;
  co_await take_back(digest);
  std::rethrow_exception(refused);
}

async::Task<> Admission::record(oci::Digest digest, std::uint64_t size,
                                std::function<void(index::Batch&)> with) {
  index::BlobTotals before;
  index::BlobTotals after;
  const auto now = clock_.wall();
  co_await index_.write([&](index::Batch& batch) {
    before = index::blob_totals(batch);
    index::put_blob(batch, digest, size, now);
    after = index::blob_totals(batch);
    with(batch);
  });
  metrics_.store_changed(static_cast<std::int64_t>(after.bytes - before.bytes),
                         static_cast<std::int64_t>(after.blobs - before.blobs));
}

// The stripe is held: who has a row for these bytes had it before.
async::Task<> Admission::take_back(oci::Digest digest) {
  const bool known = co_await index_.read(
      [&](const index::View& view) { return index::blob(view, digest).has_value(); });
  if (known) co_return;
  try {
    store_.remove(digest);
  } catch (const std::exception& error) {
    base::log::error("refused blob left behind",
                     {{"digest", digest.text()}, {"error", error.what()}});
  }
}

}  // namespace entrepot::registry
