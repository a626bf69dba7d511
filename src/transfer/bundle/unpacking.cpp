#include "transfer/bundle/unpacking.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::transfer {
namespace {

struct Standing {
  bool linked = false;
  std::optional<index::BlobRecord> record;
};

bool is_required(const oci::Edge& edge) {
  return edge.kind == oci::EdgeKind::config || edge.kind == oci::EdgeKind::layer;
}

[[noreturn]] void refuse_lost(const oci::Digest& digest) {
  throw std::runtime_error(digest.text() + " was here and is not any more; apply it once again");
}

}  // namespace

async::Task<bool> Unpacking::run(const std::vector<ContentLine>& lines) {
  for (const auto& line : lines) {
    if (stopped()) co_return false;
    if (line.tag) {
      co_await bring(line, line.digest, true);
    } else {
      co_await bring_untagged(line);
    }
  }
  for (const auto& line : lines) {
    if (stopped()) co_return false;
    if (line.tag) co_await set_tag(line);
  }
  co_return true;
}

async::Task<> Unpacking::bring(const ContentLine& line, oci::Digest digest, bool root) {
  if (!done_.emplace(line.repository, digest).second) co_return;
  const auto manifest = co_await inventory_.manifest(digest);
  if (!manifest) refuse_lost(digest);
  for (const auto& [kind, child] : manifest->parsed.edges) {
    if (kind != oci::EdgeKind::manifest || inventory_.is_left_out(line, child.digest)) continue;
    co_await bring(line, child.digest, false);
  }
  co_await bring_blobs(line.repository, manifest->parsed);
  co_await put(line, digest, *manifest);
}

async::Task<> Unpacking::bring_blobs(oci::RepositoryName repository,
                                     const oci::Manifest& manifest) {
  for (const auto& edge : manifest.edges) {
    if (edge.kind == oci::EdgeKind::manifest) continue;
    const bool here = co_await bring_blob(repository, edge.target);
    if (!here && is_required(edge)) refuse_lost(edge.target.digest);
  }
}

async::Task<bool> Unpacking::bring_blob(oci::RepositoryName repository, oci::Descriptor listed) {
  if (co_await link_held(repository, listed)) co_return true;
  if (!staging_.has(listed.digest)) co_return false;
  co_await admit(repository, listed.digest);
  co_return true;
}

// On the sender's word, whose signature is believed, this repository may have what is held here.
async::Task<bool> Unpacking::link_held(oci::RepositoryName repository, oci::Descriptor listed) {
  const auto standing = co_await house_.index.read([&](const index::View& view) {
    return Standing{index::linked(view, repository, listed.digest),
                    index::blob(view, listed.digest)};
  });
  if (!standing.record) co_return false;
  const auto info = house_.store.find(listed.digest);
  if (!info || info->size != standing.record->size) co_return false;
  if (standing.linked) co_return true;
  const auto size = standing.record->size;
  const bool done = co_await house_.index.write([&](index::Batch& batch) {
    // Collected meanwhile.
    if (!index::blob(batch, listed.digest)) return false;
    house_.writer.link_blob(batch, repository, listed.digest, size, actor_);
    return true;
  });
  changed_ = changed_ || done;
  co_return done;
}

async::Task<> Unpacking::admit(oci::RepositoryName repository, oci::Digest digest) {
  const auto file = co_await house_.pool.run([&] { return staging_.open(digest); });
  const auto alone = co_await house_.admission.alone_with(digest);
  const auto info = co_await house_.store.bring(file, digest, store::BlobStore::Bring::link);
  co_await house_.admission.record(digest, info.size, [&](index::Batch& batch) {
    house_.writer.link_blob(batch, repository, digest, info.size, actor_);
  });
  changed_ = true;
  ++report_.blobs;
  report_.bytes += info.size;
}

// Not a child and without a tag it has a version of its own, by which a deletion, here or in a
// bundle, is later or earlier than it; and it is news to those who follow us.
async::Task<> Unpacking::bring_untagged(const ContentLine& line) {
  const index::Change change{.repository = line.repository,
                             .to = line.digest,
                             .version = line.version,
                             .cause = index::Cause::replication,
                             .who = actor_.name};
  const auto [held, wins] = co_await house_.index.read([&](const index::View& view) {
    return std::pair(index::linked(view, line.repository, line.digest), index::wins(view, change));
  });
  if (!held && !wins) co_return;
  co_await bring(line, line.digest, true);
  if (held) co_return;
  co_await house_.index.write(
      [&](index::Batch& batch) { return house_.writer.apply(batch, change, actor_); });
}

async::Task<> Unpacking::put(const ContentLine& line, oci::Digest digest,
                             const StagedManifest& manifest) {
  const bool held = co_await house_.index.read([&](const index::View& view) {
    return index::linked(view, line.repository, digest) &&
           index::manifest_info(view, digest).has_value();
  });
  if (held) co_return;
  registry::ManifestOffer offer{.digest = digest,
                                .media_type = manifest.media_type,
                                .bytes = manifest.bytes,
                                .version = line.version,
                                .children = line.sparse ? registry::ManifestOffer::Children::some
                                                        : registry::ManifestOffer::Children::all};
  const auto answer = co_await house_.here.put_manifest(line.repository, std::move(offer));
  if (!answer) registry::refuse(answer.error(), registry::Subject::manifest);
  changed_ = true;
  report_.bytes += manifest.bytes.size();
}

async::Task<> Unpacking::set_tag(const ContentLine& line) {
  const auto record_of = [&](const index::View& view) {
    return index::tag(view, line.repository, *line.tag);
  };
  const auto before = co_await house_.index.read(record_of);
  if (before && before->digest == line.digest && before->version >= line.version) co_return;
  auto manifest = co_await inventory_.manifest(line.digest);
  if (!manifest) refuse_lost(line.digest);
  registry::ManifestOffer offer{.digest = line.digest,
                                .media_type = std::move(manifest->media_type),
                                .bytes = std::move(manifest->bytes),
                                .tags = {*line.tag},
                                .version = line.version,
                                .children = line.sparse ? registry::ManifestOffer::Children::some
                                                        : registry::ManifestOffer::Children::all};
  const auto answer = co_await house_.here.put_manifest(line.repository, std::move(offer));
  if (!answer) {
    // An immutable tag stays; the others come.
    if (listener_.trouble) {
      listener_.trouble(line.repository.text() + ":" + line.tag->text(), answer.error().message);
    }
    ++report_.refused;
    co_return;
  }
  const auto after = co_await house_.index.read(record_of);
  if (after && (!before || before->digest != after->digest)) {
    ++report_.tags;
    changed_ = true;
  }
}

// ---- deletions --------------------------------------------------------------------------------

namespace {

constexpr std::size_t removals_at_once = 256;

std::string name_of(const RemovalLine& line) {
  return line.tag ? line.repository.text() + ":" + line.tag->text()
                  : line.repository.text() + "@" + line.digest.value().text();
}

}  // namespace

async::Task<bool> Unpacking::remove(const std::vector<RemovalLine>& lines) {
  for (std::size_t at = 0; at < lines.size(); at += removals_at_once) {
    if (stopped()) co_return false;
    const auto some = std::span(lines).subspan(at, std::min(removals_at_once, lines.size() - at));
    const auto outcomes = co_await house_.index.write([&](index::Batch& batch) {
      std::vector<Removed> found;
      for (const auto& line : some) {
        const index::Change change{.repository = line.repository,
                                   .tag = line.tag,
                                   .from = line.digest,
                                   .version = line.version,
                                   .cause = index::Cause::replication,
                                   .who = actor_.name};
        try {
          found.push_back({house_.writer.apply(batch, change, actor_)});
        } catch (const oci::Refusal& refusal) {
          found.push_back({index::Applied::held, refusal.what()});
        }
      }
      return found;
    });
    for (std::size_t i = 0; i < some.size(); ++i) tell_removal(some[i], outcomes[i]);
  }
  co_return true;
}

void Unpacking::tell_removal(const RemovalLine& line, const Removed& outcome) {
  if (outcome.applied == index::Applied::done) {
    report_.removed.push_back(name_of(line));
    changed_ = true;
    return;
  }
  const bool refused = !outcome.refusal.empty();
  if (!refused && outcome.applied == index::Applied::held) return;
  ++(refused ? report_.refused : report_.kept);
  if (!listener_.trouble) return;
  listener_.trouble(name_of(line), refused
                                       ? outcome.refusal
                                       : "stays: it was changed here after it was deleted there");
}

}  // namespace entrepot::transfer
