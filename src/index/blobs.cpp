// catalog.hpp "blobs and links": the blobs.
#include "entrepot/index/catalog.hpp"
#include "index/records.hpp"

namespace entrepot::index {
namespace {

void put_totals(Batch& batch, const BlobTotals& totals) {
  batch.put(Space::meta, base::as_bytes(blob_totals_row), base::as_bytes(encode(totals)));
}

}  // namespace

std::optional<BlobRecord> blob(const View& view, const oci::Digest& digest) {
  const auto value = view.get(Space::blobs, Key().digest(digest));
  if (!value) return std::nullopt;
  return intact(decode_blob(*value), "blob");
}

void put_blob(Batch& batch, const oci::Digest& digest, std::uint64_t size, base::WallTime now) {
  const auto before = blob(batch, digest);
  if (before && before->size == size) return;
  auto totals = blob_totals(batch);
  totals.blobs += before ? 0 : 1;
  totals.bytes += size - (before ? before->size : 0);
  put_totals(batch, totals);
  batch.put(Space::blobs, Key().digest(digest), base::as_bytes(encode(BlobRecord{size, now})));
}

void forget_blob(Batch& batch, const oci::Digest& digest) {
  const auto before = blob(batch, digest);
  if (!before) return;
  batch.erase(Space::blobs, Key().digest(digest));
  auto totals = blob_totals(batch);
  totals.blobs -= 1;
  totals.bytes -= before->size;
  put_totals(batch, totals);
}

BlobTotals blob_totals(const View& view) {
  const auto value = view.get(Space::meta, base::as_bytes(blob_totals_row));
  return value ? intact(decode_blob_totals(*value), blob_totals_row) : BlobTotals{};
}

}  // namespace entrepot::index
