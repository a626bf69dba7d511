// Writer: content goes, and tags go back. The rows vanish at once, files when the collector comes
// (reliability.md rule 10).
#include <algorithm>
#include <utility>
#include <vector>

#include "entrepot/index/collection.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/writer.hpp"
#include "registry/guard.hpp"

namespace entrepot::registry {
namespace {
constexpr std::size_t rows_at_once = 1000;
constexpr std::size_t history_looked_at = 100'000;

}  // namespace

void Writer::check_deletion() const {
  check_writable();
  if (policy_.now()->options().deletion == Deletion::allowed) return;
  oci::Refusal refusal(oci::ErrorCode::unsupported, "deletion is switched off");
  refusal.allow = "GET, HEAD, PUT";
  throw refusal;
}

async::Task<bool> Writer::delete_tag(oci::RepositoryName repository, oci::Tag tag,
                                     index::Actor actor, index::Cause cause) {
  check_deletion();
  co_return co_await write_or_refuse(index_, [&](index::Batch& batch) {
    check_local(batch, repository);
    const auto record = index::tag(batch, repository, tag);
    if (!record) return false;
    remove_tag(batch, repository, tag, record->digest, actor, cause);
    return true;
  });
}

void Writer::remove_tag(index::Batch& batch, const oci::RepositoryName& repository,
                        const oci::Tag& tag, const std::optional<oci::Digest>& digest,
                        const index::Actor& actor, index::Cause cause) const {
  check_immutable(repository, tag);
  index::remove_tag(batch, repository, tag, clock_.wall(), cause, actor.name);
  tell(batch, {.kind = index::EventKind::removal,
               .repository = repository.text(),
               .digest = digest,
               .tag = tag.text(),
               .actor = actor});
}

async::Task<bool> Writer::delete_manifest(oci::RepositoryName repository, oci::Digest digest,
                                          index::Actor actor, index::Cause cause) {
  check_deletion();
  co_return co_await write_or_refuse(index_, [&](index::Batch& batch) {
    check_local(batch, repository);
    const auto info = index::manifest_info(batch, digest);
    if (!info || !index::linked(batch, repository, digest)) return false;
    check_not_kept(batch, *policy_.now(), repository, digest);
    for (;;) {
      const auto tags = index::tags_of(batch, repository, digest, rows_at_once);
      for (const auto& tag : tags) remove_tag(batch, repository, tag, digest, actor, cause);
      if (tags.size() < rows_at_once) break;
    }
    index::unlink(batch, repository, digest);
    index::record_manifest(batch, repository, digest, index::ManifestChange::removed, clock_.wall(),
                           cause, actor.name);
    tell(batch, {.kind = index::EventKind::removal,
                 .repository = repository.text(),
                 .media_type = info->media_type,
                 .size = info->size,
                 .digest = digest,
                 .actor = actor});
    return true;
  });
}

async::Task<bool> Writer::delete_blob(oci::RepositoryName repository, oci::Digest digest,
                                      index::Actor actor) {
  check_deletion();
  co_return co_await write_or_refuse(index_, [&](index::Batch& batch) {
    check_local(batch, repository);
    const auto blob = index::blob(batch, digest);
    if (!blob || !index::linked(batch, repository, digest)) return false;
    // One link stands for both: tags that point to the manifest would be left behind.
    if (index::manifest_info(batch, digest)) {
      throw oci::Refusal(oci::ErrorCode::denied, "it is a manifest, too: delete that");
    }
    check_not_kept(batch, *policy_.now(), repository, digest);
    index::unlink(batch, repository, digest);
    tell(batch, {.kind = index::EventKind::removal,
                 .repository = repository.text(),
                 .size = blob->size,
                 .digest = digest,
                 .actor = actor});
    return true;
  });
}

async::Task<bool> Writer::delete_repository(oci::RepositoryName repository, index::Actor actor) {
  check_deletion();
  const bool there = co_await index_.read([&](const index::View& view) {
    check_local(view, repository);
    check_no_immutable_tag(view, repository);
    return index::repository_exists(view, repository);
  });
  if (!there) co_return false;
  while (!co_await write_or_refuse(index_, [&](index::Batch& batch) {
    check_local(batch, repository);
    return delete_some(batch, repository, actor);
  })) {
  }
  co_return true;
}

void Writer::check_no_immutable_tag(const index::View& view,
                                    const oci::RepositoryName& repository) const {
  if (policy_.now()->options().immutable.empty()) return;
  std::string after;
  for (;;) {
    const auto tags = index::tags(view, repository, after, rows_at_once);
    for (const auto& tag : tags) check_immutable(repository, tag);
    if (tags.size() < rows_at_once) return;
    after = tags.back().text();
  }
}

// Tags first, and no link goes while there is one: what is pushed between two of these stays whole,
// or its tag goes before it does.
bool Writer::delete_some(index::Batch& batch, const oci::RepositoryName& repository,
                         const index::Actor& actor) const {
  const auto tags = index::tags(batch, repository, {}, rows_at_once);
  for (const auto& tag : tags) {
    remove_tag(batch, repository, tag, std::nullopt, actor, index::Cause::deletion);
  }
  if (!tags.empty()) return false;
  const auto links = index::links(batch, repository, std::nullopt, rows_at_once);
  for (const auto& digest : links) {
    index::unlink(batch, repository, digest);
    if (index::manifest_info(batch, digest)) {
      index::record_manifest(batch, repository, digest, index::ManifestChange::removed,
                             clock_.wall(), index::Cause::deletion, actor.name);
    }
  }
  if (links.size() == rows_at_once) return false;
  tell(batch, {.kind = index::EventKind::removal, .repository = repository.text(), .actor = actor});
  return true;
}

async::Task<> Writer::rollback(oci::RepositoryName repository, oci::Tag tag, oci::Digest digest,
                               index::Actor actor) {
  check_writable();
  co_await write_or_refuse(index_, [&](index::Batch& batch) {
    check_local(batch, repository);
    const auto now = index::tag(batch, repository, tag);
    if (now && now->digest == digest) return;
    const auto before = index::tag_history(batch, repository, tag, history_looked_at);
    const auto info = index::manifest_info(batch, digest);
    const bool known = std::ranges::find(before, digest) != before.end();
    if (!known || !info || !index::linked(batch, repository, digest)) {
      throw oci::Refusal(oci::ErrorCode::manifest_unknown,
                         "the tag never pointed there, or it is not here any more");
    }
    if (now) check_immutable(repository, tag);
    if (!now) check_quota(batch, repository, 0, 1);
    index::set_tag(batch, repository, tag, digest, clock_.wall(), index::Cause::rollback,
                   actor.name);
    tell(batch, {.kind = index::EventKind::tag_moved,
                 .repository = repository.text(),
                 .media_type = info->media_type,
                 .size = info->size,
                 .digest = digest,
                 .tag = tag.text(),
                 .from = now ? std::optional(now->digest) : std::nullopt,
                 .actor = actor});
  });
}

}  // namespace entrepot::registry
