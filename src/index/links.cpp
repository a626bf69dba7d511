// catalog.hpp "blobs and links": the links.
#include "index/links.hpp"

#include "index/records.hpp"
#include "index/repositories.hpp"
#include "index/usage.hpp"

namespace entrepot::index {
namespace {

// The digest behind `prefix` in the first key above prefix + `after`.
std::optional<oci::Digest> next_digest(const View& view, Space space, const Key& prefix,
                                       const std::optional<oci::Digest>& after) {
  std::optional<oci::Digest> found;
  const auto offset = base::ByteView(prefix).size();
  const Key start = after ? Key(prefix).digest(*after) : Key();
  view.scan(space, prefix, start, [&](base::ByteView key, base::ByteView) {
    found = intact(digest_in_key(key, offset), "key");
    return Continue::no;
  });
  return found;
}

}  // namespace

std::optional<LinkRecord> link_record(const View& view, RepositoryId id,
                                      const oci::Digest& digest) {
  const auto value = view.get(Space::links, Key().repository(id).digest(digest));
  if (!value) return std::nullopt;
  return intact(decode_link(*value), "link");
}

bool linked(const View& view, RepositoryId repository, const oci::Digest& digest) {
  return view.get(Space::links, Key().repository(repository).digest(digest)).has_value();
}

bool linked(const View& view, const oci::RepositoryName& repository, const oci::Digest& digest) {
  const auto id = repository_id(view, repository);
  return id && linked(view, *id, digest);
}

std::optional<std::uint64_t> content_size(const View& view, const oci::Digest& digest) {
  if (const auto record = blob(view, digest)) return record->size;
  if (const auto info = manifest_info(view, digest)) return info->size;
  return std::nullopt;
}

void link(Batch& batch, const oci::RepositoryName& repository, RepositoryKind kind,
          const oci::Digest& digest, base::WallTime now) {
  const auto owner = ensure_repository(batch, repository, kind);
  const auto before = link_record(batch, owner.id, digest);
  const LinkRecord was = before.value_or(LinkRecord{.since = now, .size = 0});
  const auto size = content_size(batch, digest).value_or(was.size);
  if (before && before->size == size) return;
  batch.put(Space::links, Key().repository(owner.id).digest(digest),
            base::as_bytes(encode(LinkRecord{.since = was.since, .size = size})));
  batch.put(Space::linked_in, Key().digest(digest).upstream(owner.upstream).repository(owner.id),
            {});
  change_usage(batch, owner,
               {.bytes = static_cast<std::int64_t>(size - was.size), .links = before ? 0 : 1});
}

void unlink(Batch& batch, const oci::RepositoryName& repository, const oci::Digest& digest) {
  const auto owner = repository_record(batch, repository);
  if (!owner) return;
  const auto record = link_record(batch, owner->id, digest);
  if (!record) return;
  batch.erase(Space::links, Key().repository(owner->id).digest(digest));
  batch.erase(Space::linked_in,
              Key().digest(digest).upstream(owner->upstream).repository(owner->id));
  change_usage(batch, *owner, {.bytes = -static_cast<std::int64_t>(record->size), .links = -1});
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

std::vector<oci::Digest> links(const View& view, const oci::RepositoryName& repository,
                               const std::optional<oci::Digest>& after, std::size_t limit) {
  std::vector<oci::Digest> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  const Key prefix = Key().repository(*id);
  const Key start = after ? Key().repository(*id).digest(*after) : Key();
  view.scan(Space::links, prefix, start, [&](base::ByteView key, base::ByteView) {
    found.push_back(intact(digest_in_key(key, sizeof(RepositoryId)), "link"));
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
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

// Two sorted lists walked together, each leaping to where the other stands.
std::optional<oci::Digest> listing_parent(const View& view, RepositoryId repository,
                                          const oci::Digest& digest) {
  const Key parents = Key().digest(digest);
  const Key links = Key().repository(repository);
  for (auto parent = next_digest(view, Space::parents, parents, std::nullopt); parent;) {
    if (linked(view, repository, *parent)) return parent;
    const auto here = next_digest(view, Space::links, links, parent);
    if (!here) return std::nullopt;
    if (view.get(Space::parents, Key(parents).digest(*here))) return here;
    parent = next_digest(view, Space::parents, parents, here);
  }
  return std::nullopt;
}

std::optional<oci::Descriptor> listed(const View& view, const oci::RepositoryName& repository,
                                      const oci::Digest& digest) {
  const auto id = repository_id(view, repository);
  const auto parent = id ? listing_parent(view, *id, digest) : std::nullopt;
  if (!parent) return std::nullopt;
  const auto value = view.get(Space::parents, Key().digest(digest).digest(*parent));
  auto edge = intact(decode_edges(value.value_or(base::ByteView{})), "parent");
  if (edge.empty()) throw_damaged("parent");
  return std::move(edge.front().target);
}

}  // namespace entrepot::index
