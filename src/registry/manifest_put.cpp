// Writer: a manifest comes in.
#include <set>
#include <utility>

#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/writer.hpp"
#include "registry/guard.hpp"
#include "registry/stock.hpp"

namespace entrepot::registry {
namespace {

oci::Manifest parsed(const ManifestPut& wish) {
  if (wish.bytes.size() > oci::max_manifest_bytes) {
    throw oci::Refusal(oci::ErrorCode::manifest_too_large, "more than 4 MiB");
  }
  auto manifest = oci::parse_manifest(wish.bytes, wish.media_type);
  if (!manifest) throw oci::Refusal(oci::ErrorCode::manifest_invalid, manifest.error());
  return std::move(*manifest);
}

oci::Digest named(const ManifestPut& wish) {
  const auto algorithm = wish.digest ? wish.digest->algorithm() : wish.algorithm;
  const auto digest = oci::Digest::of(algorithm, base::as_bytes(wish.bytes));
  if (wish.digest && *wish.digest != digest) {
    throw oci::Refusal(oci::ErrorCode::digest_invalid, "the content is " + digest.text());
  }
  return digest;
}

}  // namespace

struct Writer::Put {
  const ManifestPut& wish;
  const oci::Manifest manifest;
  const oci::Digest digest;
  const index::Actor& actor;
  const base::WallTime now;
};

async::Task<ManifestStored> Writer::put_manifest(ManifestPut wish, index::Actor actor) {
  check_writable();
  const Put put{.wish = wish,
                .manifest = parsed(wish),
                .digest = named(wish),
                .actor = actor,
                .now = clock_.wall()};
  const auto to = promisee(wish.repository, actor);
  co_await leases_.take(put.digest, to);
  try {
    co_await write_or_refuse(index_, [&](index::Batch& batch) { store_manifest(batch, put); });
  } catch (...) {
    leases_.give_back(put.digest, to);
    throw;
  }
  note_promises_kept(put, to);
  ManifestStored stored{.digest = put.digest, .subject = {}};
  if (put.manifest.subject) stored.subject = put.manifest.subject->digest;
  co_return stored;
}

// From now on the manifest holds what its pusher had been promised of it.
void Writer::note_promises_kept(const Put& put, Promisee to) const {
  for (const auto& edge : put.manifest.edges) leases_.kept(edge.target.digest, to);
  // Without a tag the next manifest is to list this one.
  if (!put.wish.tags.empty()) leases_.kept(put.digest, to);
}

void Writer::store_manifest(index::Batch& batch, const Put& put) const {
  const auto& repository = put.wish.repository;
  check_local(batch, repository);
  check_tags(batch, put);
  const auto stock =
      take_stock(batch, {.repository = repository, .counterpart = put.wish.counterpart},
                 put.manifest, put.wish.missing.value_or(policy_.now()->options().missing));
  if (!stock.missing.empty()) refuse_missing(stock.missing);
  const bool fresh = !index::linked(batch, repository, put.digest);
  check_quota(batch, repository, stock.bytes_to_mount + (fresh ? put.wish.bytes.size() : 0),
              count_new_tags(batch, put));
  for (const auto& digest : stock.to_mount) {
    index::link(batch, repository, index::RepositoryKind::local, digest, put.now);
  }
  index::put_manifest(batch, repository, index::RepositoryKind::local, put.digest, put.wish.bytes,
                      put.manifest, put.now);
  for (const auto& tag : put.wish.tags) move_tag(batch, put, tag);
  if (!put.wish.tags.empty()) return;
  tell_of(batch, put, {});
  // Of a manifest from another site its journal tells, if it has to be told at all.
  if (!fresh || put.wish.version) return;
  index::record_manifest(batch, repository, put.digest, index::ManifestChange::put, put.now,
                         put.wish.cause, put.actor.name);
}

// Same digest again is fine, whatever the rule.
void Writer::check_tags(const index::View& view, const Put& put) const {
  for (const auto& tag : put.wish.tags) {
    const auto before = index::tag(view, put.wish.repository, tag);
    if (!before || before->digest == put.digest) continue;
    check_immutable(put.wish.repository, tag);
    if (put.wish.tag_move == TagMove::refused) {
      throw oci::Refusal(oci::ErrorCode::denied,
                         "tag " + tag.text() + " exists, and may not be moved by you");
    }
  }
}

std::uint64_t Writer::count_new_tags(const index::View& view, const Put& put) {
  std::set<oci::Tag> fresh;
  for (const auto& tag : put.wish.tags) {
    if (!index::tag(view, put.wish.repository, tag)) fresh.insert(tag);
  }
  return fresh.size();
}

void Writer::move_tag(index::Batch& batch, const Put& put, const oci::Tag& tag) const {
  const auto& repository = put.wish.repository;
  const auto before = index::tag(batch, repository, tag);
  if (!point(batch, put, tag)) return;
  tell_of(batch, put, tag.text());
  if (!before || before->digest == put.digest) return;
  tell(batch, {.kind = index::EventKind::tag_moved,
               .repository = repository.text(),
               .media_type = put.manifest.media_type,
               .size = put.wish.bytes.size(),
               .digest = put.digest,
               .tag = tag.text(),
               .from = before->digest,
               .actor = put.actor});
}

// False: a greater version stands.
bool Writer::point(index::Batch& batch, const Put& put, const oci::Tag& tag) {
  const auto& wish = put.wish;
  if (!wish.version) {
    index::set_tag(batch, wish.repository, tag, put.digest, put.now, wish.cause, put.actor.name);
    return true;
  }
  const index::Change change{.repository = wish.repository,
                             .tag = tag,
                             .to = put.digest,
                             .version = *wish.version,
                             .cause = wish.cause,
                             .who = put.actor.name};
  if (index::wins(batch, change)) check_clock(change.version, put.now);
  const auto applied = index::apply_change(batch, change, put.now);
  return applied == index::Applied::done;
}

void Writer::tell_of(index::Batch& batch, const Put& put, const std::string& tag) const {
  tell(batch, {.kind = index::EventKind::push,
               .repository = put.wish.repository.text(),
               .media_type = put.manifest.media_type,
               .size = put.wish.bytes.size(),
               .digest = put.digest,
               .tag = tag,
               .actor = put.actor});
}

}  // namespace entrepot::registry
