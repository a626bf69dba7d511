// catalog.hpp "tags".
#include "index/tags.hpp"

#include <algorithm>

#include "entrepot/index/catalog.hpp"
#include "index/history.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"
#include "index/standing.hpp"
#include "index/usage.hpp"

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

}  // namespace

std::optional<TagRecord> tag_record(const View& view, RepositoryId id, std::string_view tag) {
  return read_tag(view, tag_key(id, tag));
}

std::optional<Version> standing_version(const View& view, RepositoryId id, std::string_view tag) {
  if (auto record = tag_record(view, id, tag)) return std::move(record->version);
  auto removal = newest_row(view, id, tag);
  return removal ? std::optional(std::move(removal->version)) : std::nullopt;
}

void point(Batch& batch, const RepositoryRecord& owner, const oci::Tag& tag,
           const std::optional<oci::Digest>& from, const std::optional<TagRecord>& to) {
  const auto key = tag_key(owner.id, tag.text());
  if (from) batch.erase(Space::tagged, Key().repository(owner.id).digest(*from).text(tag.text()));
  if (to) {
    put_tag(batch, key, *to);
    batch.put(Space::tagged, Key().repository(owner.id).digest(to->digest).text(tag.text()), {});
  } else {
    batch.erase(Space::tags, key);
  }
  if (from.has_value() != to.has_value()) change_usage(batch, owner, {.tags = to ? 1 : -1});
}

std::optional<TagRecord> tag(const View& view, const oci::RepositoryName& repository,
                             const oci::Tag& tag) {
  const auto id = repository_id(view, repository);
  if (!id) return std::nullopt;
  return read_tag(view, tag_key(*id, tag.text()));
}

void set_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
             const oci::Digest& digest, base::WallTime now, Cause cause, std::string_view who) {
  const auto kind = cause == Cause::mirror ? RepositoryKind::mirrored : RepositoryKind::local;
  const auto owner = ensure_repository(batch, repository, kind);
  const auto key = tag_key(owner.id, tag.text());
  const auto before = read_tag(batch, key);
  if (before && before->digest == digest) {
    put_tag(batch, key, TagRecord{digest, before->changed, now, before->version});
    return;
  }
  const auto from = before ? std::optional(before->digest) : std::nullopt;
  auto standing = standing_version(batch, owner.id, tag.text());
  // Whoever tags what was deleted means it to be there again, also when that was done by a clock
  // ahead of ours.
  const auto removal = newest_row(batch, owner.id, digest.text());
  if (removal && !removal->to) standing = std::max(standing, std::optional(removal->version));
  const auto version = version_above(batch, standing, now);
  point(batch, owner, tag, from, TagRecord{digest, now, now, version});
  record_change(
      batch, owner.id,
      {0, now, cause, repository.text(), tag.text(), from, digest, std::string(who), version});
}

void confirm_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                 const oci::Digest& digest, base::WallTime now) {
  const auto id = repository_id(batch, repository);
  if (!id) return;
  const auto key = tag_key(*id, tag.text());
  const auto record = read_tag(batch, key);
  if (!record || record->digest != digest) return;
  put_tag(batch, key, TagRecord{digest, record->changed, now, record->version});
}

bool remove_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                base::WallTime now, Cause cause, std::string_view who) {
  const auto owner = repository_record(batch, repository);
  if (!owner) return false;
  const auto record = read_tag(batch, tag_key(owner->id, tag.text()));
  if (!record) return false;
  point(batch, *owner, tag, record->digest, std::nullopt);
  record_change(batch, owner->id,
                {0, now, cause, repository.text(), tag.text(), record->digest, std::nullopt,
                 std::string(who), version_above(batch, record->version, now)});
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

std::vector<oci::Tag> tags_of(const View& view, const oci::RepositoryName& repository,
                              const oci::Digest& digest, std::size_t limit) {
  std::vector<oci::Tag> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  const Key prefix = Key().repository(*id).digest(digest);
  view.scan(Space::tagged, prefix, {}, [&](base::ByteView key, base::ByteView) {
    const auto text = base::as_text(key.subspan(base::ByteView(prefix).size()));
    if (auto tag = oci::Tag::parse(text)) found.push_back(std::move(*tag));
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

}  // namespace entrepot::index
