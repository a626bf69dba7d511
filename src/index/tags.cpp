// catalog.hpp "tags".
#include <algorithm>

#include "entrepot/index/catalog.hpp"
#include "index/journal.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {
namespace {

Key tag_key(RepositoryId id, std::string_view tag) { return Key().repository(id).text(tag); }

std::optional<TagRecord> read_tag(const View& view, base::ByteView key) {
  const auto value = view.get(Space::tags, key);
  if (!value) return std::nullopt;
  return intact(decode_tag(*value), "tag");
}

void put_tag(Batch& batch, base::ByteView key, const TagRecord& record) {
  batch.put(Space::tags, key, base::as_bytes(encode(record)));
}

// The journal row of a change, and the history row of the digest the tag leaves.
void record_change(Batch& batch, RepositoryId id, JournalRow row) {
  const auto sequence = meta_number(batch, last_journal_row) + 1;
  if (row.from) {
    const auto key = Key().repository(id).text(row.tag).separator().number(~sequence);
    batch.put(Space::history, key, base::as_bytes(encode_digest(*row.from)));
  }
  append(batch, std::move(row));
}

}  // namespace

std::optional<TagRecord> tag(const View& view, const oci::RepositoryName& repository,
                             const oci::Tag& tag) {
  const auto id = repository_id(view, repository);
  if (!id) return std::nullopt;
  return read_tag(view, tag_key(*id, tag.text()));
}

void set_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
             const oci::Digest& digest, base::WallTime now, Cause cause) {
  const auto kind = cause == Cause::mirror ? RepositoryKind::mirrored : RepositoryKind::local;
  const auto id = ensure_repository(batch, repository, kind).id;
  const auto key = tag_key(id, tag.text());
  const auto before = read_tag(batch, key);
  if (before && before->digest == digest) {
    put_tag(batch, key, TagRecord{digest, before->changed, now});
    return;
  }
  put_tag(batch, key, TagRecord{digest, now, now});
  const auto from = before ? std::optional(before->digest) : std::nullopt;
  record_change(batch, id, {0, now, cause, repository.text(), tag.text(), from, digest});
}

void confirm_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                 const oci::Digest& digest, base::WallTime now) {
  const auto id = repository_id(batch, repository);
  if (!id) return;
  const auto key = tag_key(*id, tag.text());
  const auto record = read_tag(batch, key);
  if (!record || record->digest != digest) return;
  put_tag(batch, key, TagRecord{digest, record->changed, now});
}

bool remove_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                base::WallTime now, Cause cause) {
  const auto id = repository_id(batch, repository);
  if (!id) return false;
  const auto key = tag_key(*id, tag.text());
  const auto record = read_tag(batch, key);
  if (!record) return false;
  batch.erase(Space::tags, key);
  record_change(batch, *id,
                {0, now, cause, repository.text(), tag.text(), record->digest, std::nullopt});
  return true;
}

std::vector<oci::Tag> tags(const View& view, const oci::RepositoryName& repository,
                           std::string_view after, std::size_t limit) {
  std::vector<oci::Tag> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  // `after` is the client's word. Tags have 128 characters at most, so cutting moves none of them.
  const auto bound = after.substr(0, 255);
  const Key prefix = Key().repository(*id);
  const Key start = tag_key(*id, bound);
  view.scan(Space::tags, prefix, after.empty() ? base::ByteView{} : base::ByteView(start),
            [&](base::ByteView key, base::ByteView) {
              if (auto tag = oci::Tag::parse(base::as_text(key.subspan(4)))) {
                found.push_back(std::move(*tag));
              }
              return found.size() < limit ? Continue::yes : Continue::no;
            });
  return found;
}

std::vector<oci::Digest> tag_history(const View& view, const oci::RepositoryName& repository,
                                     const oci::Tag& tag, std::size_t limit) {
  std::vector<oci::Digest> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  const Key prefix = Key().repository(*id).text(tag.text()).separator();
  view.scan(Space::history, prefix, {}, [&](base::ByteView, base::ByteView value) {
    const auto digest = intact(decode_digest(value), "history");
    if (std::ranges::find(found, digest) == found.end()) found.push_back(digest);
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

}  // namespace entrepot::index
