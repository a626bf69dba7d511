// catalog.hpp "blobs and links".
#include "entrepot/index/catalog.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"

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

bool linked(const View& view, RepositoryId repository, const oci::Digest& digest) {
  return view.get(Space::links, Key().repository(repository).digest(digest)).has_value();
}

bool linked(const View& view, const oci::RepositoryName& repository, const oci::Digest& digest) {
  const auto id = repository_id(view, repository);
  return id && linked(view, *id, digest);
}

void link(Batch& batch, const oci::RepositoryName& repository, RepositoryKind kind,
          const oci::Digest& digest) {
  const auto [id, upstream] = ensure_repository(batch, repository, kind);
  if (linked(batch, id, digest)) return;
  batch.put(Space::links, Key().repository(id).digest(digest), {});
  batch.put(Space::linked_in, Key().digest(digest).upstream(upstream).repository(id), {});
}

void unlink(Batch& batch, const oci::RepositoryName& repository, const oci::Digest& digest) {
  const auto record = repository_record(batch, repository);
  if (!record) return;
  const auto [id, upstream] = *record;
  batch.erase(Space::links, Key().repository(id).digest(digest));
  batch.erase(Space::linked_in, Key().digest(digest).upstream(upstream).repository(id));
}

bool linked_beside(const View& view, std::string_view upstream, const oci::Digest& digest) {
  const auto id = upstream_id(view, upstream);
  if (!id) return false;
  bool found = false;
  view.scan(Space::linked_in, Key().digest(digest).upstream(*id), {},
            [&found](base::ByteView, base::ByteView) {
              found = true;
              return Continue::no;
            });
  return found;
}

bool attainable(const View& view, const oci::RepositoryName& repository, std::string_view upstream,
                const oci::Digest& digest) {
  return linked(view, repository, digest) || linked_beside(view, upstream, digest);
}

std::vector<oci::RepositoryName> linked_in(const View& view, const oci::Digest& digest,
                                           std::size_t limit) {
  std::vector<oci::RepositoryName> names;
  if (limit == 0) return names;
  const Key prefix = Key().digest(digest);
  view.scan(Space::linked_in, prefix, {}, [&](base::ByteView key, base::ByteView) {
    const auto id = intact(repository_in_key(key, key_size(digest) + sizeof(UpstreamId)), "link");
    if (auto name = repository_name(view, id)) names.push_back(std::move(*name));
    return names.size() < limit ? Continue::yes : Continue::no;
  });
  return names;
}

std::optional<oci::Descriptor> listed(const View& view, const oci::RepositoryName& repository,
                                      const oci::Digest& digest) {
  std::optional<oci::Descriptor> found;
  const auto id = repository_id(view, repository);
  if (!id) return found;
  const Key prefix = Key().digest(digest);
  view.scan(Space::parents, prefix, {}, [&](base::ByteView key, base::ByteView value) {
    const auto parent = intact(digest_in_key(key, key_size(digest)), "parent");
    if (!linked(view, *id, parent)) return Continue::yes;
    auto edge = intact(decode_edges(value), "parent");
    if (edge.empty()) throw_damaged("parent");
    found = std::move(edge.front().target);
    return Continue::no;
  });
  return found;
}

}  // namespace entrepot::index
