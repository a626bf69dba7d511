#include "entrepot/index/collection.hpp"

#include <algorithm>

#include "index/history.hpp"
#include "index/links.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"
#include "index/usage.hpp"

namespace entrepot::index {
namespace {

bool is_manifest(const View& view, const oci::Digest& digest) {
  return view.get(Space::manifests, Key().digest(digest)).has_value();
}

bool is_tagged(const View& view, RepositoryId id, const oci::Digest& digest) {
  bool found = false;
  view.scan(Space::tagged, Key().repository(id).digest(digest), {},
            [&found](base::ByteView, base::ByteView) {
              found = true;
              return Continue::no;
            });
  return found;
}

std::optional<oci::Digest> subject_of(const View& view, const oci::Digest& digest) {
  const auto value = view.get(Space::subjects, Key().digest(digest));
  if (!value) return std::nullopt;
  return intact(decode_digest(*value), "subject");
}

// Links of one repository behind the cursor, until there are `limit` rows.
void add_links(const View& view, RepositoryId id, LinkCursor& cursor, std::size_t limit,
               std::vector<LinkRow>& rows) {
  const auto name = repository_name(view, id);
  if (!name) return;
  const std::string after = cursor.key;
  view.scan(Space::links, Key().repository(id), base::as_bytes(after),
            [&](base::ByteView key, base::ByteView value) {
              const auto digest = intact(digest_in_key(key, sizeof(RepositoryId)), "link");
              const auto since = intact(decode_link(value), "link").since;
              rows.push_back({*name, digest, since, is_manifest(view, digest)});
              cursor.key = base::as_text(key);
              return rows.size() < limit ? Continue::yes : Continue::no;
            });
}

// Up to `limit` digests of one space above `after`, in order, each with what stands under it.
template <class Read>
auto rows_of(const View& view, Space space, const std::optional<oci::Digest>& after,
             std::size_t limit, Read read) {
  std::vector<std::invoke_result_t<Read&, const oci::Digest&, base::ByteView>> rows;
  const Key start = after ? Key().digest(*after) : Key();
  view.scan(space, {}, start, [&](base::ByteView key, base::ByteView value) {
    rows.push_back(read(intact(digest_in_key(key, 0), "digest"), value));
    return rows.size() < limit ? Continue::yes : Continue::no;
  });
  return rows;
}

std::vector<Unlinked> blob_rows(const View& view, const std::optional<oci::Digest>& after,
                                std::size_t limit) {
  return rows_of(
      view, Space::blobs, after, limit, [](const oci::Digest& digest, base::ByteView value) {
        return Unlinked{
            .digest = digest, .size = intact(decode_blob(value), "blob").size, .is_blob = true};
      });
}

std::vector<Unlinked> manifest_rows(const View& view, const std::optional<oci::Digest>& after,
                                    std::size_t limit) {
  return rows_of(view, Space::manifests, after, limit,
                 [](const oci::Digest& digest, base::ByteView value) {
                   return Unlinked{.digest = digest,
                                   .size = intact(decode_manifest(value), "manifest").bytes.size(),
                                   .is_manifest = true};
                 });
}

// Both in one order, a digest that is in both once.
std::vector<Unlinked> merged(const std::vector<Unlinked>& blobs,
                             const std::vector<Unlinked>& manifests) {
  std::vector<Unlinked> rows;
  std::ranges::merge(blobs, manifests, std::back_inserter(rows), {}, &Unlinked::digest,
                     &Unlinked::digest);
  std::vector<Unlinked> distinct;
  for (const auto& row : rows) {
    if (!distinct.empty() && distinct.back().digest == row.digest) {
      distinct.back().is_manifest = true;
    } else {
      distinct.push_back(row);
    }
  }
  return distinct;
}

// What put_manifest() wrote besides the link.
void erase_manifest(Batch& batch, const oci::Digest& digest) {
  for (const auto& edge : edges(batch, digest)) {
    batch.erase(Space::parents, Key().digest(edge.target.digest).digest(digest));
  }
  batch.erase(Space::edges, Key().digest(digest));
  batch.erase(Space::manifests, Key().digest(digest));
  const auto subject = subject_of(batch, digest);
  if (!subject) return;
  batch.erase(Space::referrers, Key().digest(*subject).digest(digest));
  batch.erase(Space::subjects, Key().digest(digest));
}

}  // namespace

std::vector<LinkRow> local_links(const View& view, LinkCursor& cursor, std::size_t limit) {
  std::vector<LinkRow> rows;
  if (limit == 0) return rows;
  std::optional<RepositoryId> id;
  if (!cursor.key.empty()) {
    id = intact(repository_in_key(base::as_bytes(cursor.key), 0), "cursor");
    add_links(view, *id, cursor, limit, rows);
  }
  while (rows.size() < limit) {
    id = next_local(view, id);
    if (!id) break;
    add_links(view, *id, cursor, limit, rows);
  }
  return rows;
}

std::optional<base::WallTime> linked_since(const View& view, const oci::RepositoryName& repository,
                                           const oci::Digest& digest) {
  const auto id = repository_id(view, repository);
  if (!id) return std::nullopt;
  const auto record = link_record(view, *id, digest);
  if (!record) return std::nullopt;
  return record->since;
}

std::vector<oci::Digest> listed_by(const View& view, const oci::RepositoryName& repository,
                                   const oci::Digest& digest, std::size_t limit) {
  std::vector<oci::Digest> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  view.scan(Space::parents, Key().digest(digest), {}, [&](base::ByteView key, base::ByteView) {
    const auto parent = intact(digest_in_key(key, key_size(digest)), "parent");
    if (linked(view, *id, parent)) found.push_back(parent);
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

Hold hold_of(const View& view, const oci::RepositoryName& repository, const oci::Digest& digest,
             base::WallTime history_since) {
  const auto id = repository_id(view, repository);
  if (!id) return Hold::none;
  if (is_tagged(view, *id, digest)) return Hold::tagged;
  const auto left = last_left(view, *id, digest);
  if (left && *left >= history_since) return Hold::history;
  if (listing_parent(view, *id, digest)) return Hold::listed;
  const auto subject = subject_of(view, digest);
  if (subject && linked(view, *id, *subject)) return Hold::referrer;
  return Hold::none;
}

UnlinkedPage unlinked(const View& view, const std::optional<oci::Digest>& after,
                      std::size_t rows_to_look_at) {
  // Each list holds the first so many of its space, so together they hold the first so many of
  // both.
  auto rows =
      merged(blob_rows(view, after, rows_to_look_at), manifest_rows(view, after, rows_to_look_at));
  UnlinkedPage page;
  if (rows.size() >= rows_to_look_at && rows_to_look_at > 0) {
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(rows_to_look_at), rows.end());
    page.next = rows.back().digest;
  }
  std::erase_if(rows, [&](const Unlinked& row) { return linked_anywhere(view, row.digest); });
  page.found = std::move(rows);
  return page;
}

bool linked_anywhere(const View& view, const oci::Digest& digest) {
  bool found = false;
  view.scan(Space::linked_in, Key().digest(digest), {}, [&found](base::ByteView, base::ByteView) {
    found = true;
    return Continue::no;
  });
  return found;
}

bool erase_unlinked(Batch& batch, const oci::Digest& digest) {
  if (linked_anywhere(batch, digest)) return false;
  forget_blob(batch, digest);
  if (is_manifest(batch, digest)) erase_manifest(batch, digest);
  return true;
}

std::vector<HeldBlob> held_blobs(const View& view, const std::optional<oci::Digest>& after,
                                 std::size_t limit) {
  if (limit == 0) return {};
  return rows_of(view, Space::blobs, after, limit,
                 [](const oci::Digest& digest, base::ByteView value) {
                   return HeldBlob{digest, intact(decode_blob(value), "blob")};
                 });
}

}  // namespace entrepot::index
