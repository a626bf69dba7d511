#include "entrepot/registry/local.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"
#include "entrepot/index/catalog.hpp"

namespace entrepot::registry {

namespace {

std::unexpected<Failure> not_here() {
  return std::unexpected(Failure{.kind = FailureKind::absent, .message = {}});
}

// What `reference` stands for in this repository, if this repository may have it.
std::optional<oci::Digest> target(const index::View& view, const oci::RepositoryName& name,
                                  const oci::Reference& reference) {
  if (const auto* digest = reference.digest()) {
    if (!index::linked(view, name, *digest)) return std::nullopt;
    return *digest;
  }
  const auto tag = index::tag(view, name, *reference.tag());
  if (!tag || !index::linked(view, name, tag->digest)) return std::nullopt;
  return tag->digest;
}

// What is recorded of a blob this repository may have.
std::optional<index::BlobRecord> recorded(const index::View& view, const oci::RepositoryName& name,
                                          const oci::Digest& digest) {
  if (!index::linked(view, name, digest)) return std::nullopt;
  return index::blob(view, digest);
}

// Meanwhile the blob may have been fetched and recorded anew.
bool stands(const index::View& view, const oci::Digest& digest, const index::BlobRecord& lost) {
  const auto now = index::blob(view, digest);
  return now && now->size == lost.size && now->stored == lost.stored;
}

template <class Item>
bool cut_to(std::vector<Item>& items, std::size_t limit) {
  if (items.size() <= limit) return false;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(limit), items.end());
  return true;
}

}  // namespace

async::Task<> Local::forget(oci::Digest digest, index::BlobRecord lost) {
  base::log::error("stored blob lost", {{"digest", digest.text()}});
  index::BlobTotals before;
  index::BlobTotals after;
  try {
    co_await index_.write([&](index::Batch& batch) {
      before = index::blob_totals(batch);
      const auto file = store_.find(digest);
      const bool back = file && file->size == lost.size;
      if (!back && stands(batch, digest, lost)) index::forget_blob(batch, digest);
      after = index::blob_totals(batch);
    });
    if (metrics_ == nullptr) co_return;
    metrics_->store_changed(static_cast<std::int64_t>(after.bytes - before.bytes),
                            static_cast<std::int64_t>(after.blobs - before.blobs));
  } catch (const index::IndexFull& full) {
    base::log::error("index full", {{"digest", digest.text()}, {"error", full.what()}});
  }
}

async::Task<Answer<Resolved>> Local::resolve(oci::RepositoryName name, oci::Reference reference) {
  auto found = co_await index_.read([&](const index::View& view) -> std::optional<Resolved> {
    const auto digest = target(view, name, reference);
    if (!digest) return std::nullopt;
    auto info = index::manifest_info(view, *digest);
    if (!info) return std::nullopt;
    return Resolved{
        .digest = *digest, .media_type = std::move(info->media_type), .size = info->size};
  });
  if (!found) co_return not_here();
  co_return std::move(*found);
}

async::Task<Answer<ManifestContent>> Local::manifest(oci::RepositoryName name,
                                                     oci::Reference reference) {
  auto found = co_await index_.read([&](const index::View& view) -> std::optional<ManifestContent> {
    const auto digest = target(view, name, reference);
    if (!digest) return std::nullopt;
    auto record = index::manifest(view, *digest);
    if (!record) return std::nullopt;
    return ManifestContent{.digest = *digest,
                           .media_type = std::move(record->media_type),
                           .bytes = std::move(record->bytes)};
  });
  if (!found) co_return not_here();
  co_return std::move(*found);
}

async::Task<Answer<BlobSize>> Local::stat(oci::RepositoryName name, oci::Digest digest) {
  const auto record =
      co_await index_.read([&](const index::View& view) { return recorded(view, name, digest); });
  if (!record) co_return not_here();
  const auto info = store_.find(digest);
  if (info && info->size == record->size) co_return BlobSize{.size = record->size};
  // Opening is what takes a damaged file out of the way.
  if (store_.open(digest, record->size)) co_return BlobSize{.size = record->size};
  co_await forget(digest, *record);
  co_return not_here();
}

async::Task<Answer<BlobContent>> Local::blob(oci::RepositoryName name, oci::Digest digest) {
  const auto record =
      co_await index_.read([&](const index::View& view) { return recorded(view, name, digest); });
  if (!record) co_return not_here();
  auto bytes = store_.open(digest, record->size);
  if (bytes) co_return BlobContent{.bytes = std::move(bytes)};
  co_await forget(digest, *record);
  co_return not_here();
}

async::Task<Answer<TagPage>> Local::tags(oci::RepositoryName name, Page page) {
  auto found = co_await index_.read([&](const index::View& view) -> std::optional<TagPage> {
    if (!index::repository_exists(view, name)) return std::nullopt;
    return TagPage{.tags = index::tags(view, name, page.after, page.limit + 1)};
  });
  if (!found) co_return not_here();
  found->more = cut_to(found->tags, page.limit);
  co_return std::move(*found);
}

async::Task<Answer<ReferrerPage>> Local::referrers(oci::RepositoryName name, oci::Digest subject,
                                                   std::string artifact_type, Page page) {
  const auto after = oci::Digest::parse(page.after);
  auto found = co_await index_.read([&](const index::View& view) -> std::optional<ReferrerPage> {
    if (!index::repository_exists(view, name)) return std::nullopt;
    return ReferrerPage{
        .referrers = index::referrers(view, name, subject, artifact_type, after, page.limit + 1)};
  });
  if (!found) co_return not_here();
  found->more = cut_to(found->referrers, page.limit);
  found->filtered = !artifact_type.empty();
  co_return std::move(*found);
}

async::Task<std::vector<oci::RepositoryName>> Local::catalog(std::vector<std::string> upstreams,
                                                             Page page) {
  co_return co_await index_.read([&](const index::View& view) {
    return index::repositories(view, upstreams, page.after, page.limit);
  });
}

}  // namespace entrepot::registry
