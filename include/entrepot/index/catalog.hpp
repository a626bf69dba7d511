// What the index means: typed reads and writes on a View or a Batch. Composite changes are atomic
// because they share one Batch. Keys and records: src/index/keys.hpp, src/index/records.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::index {

// Whose content a repository holds; fixed when it is created. A mirrored one has a canonical name:
// "<upstream>/<name there>".
enum class RepositoryKind { local, mirrored };

// ---- tags -------------------------------------------------------------------------------------

// When and where a change was made first: travels with it from site to site. Of two changes of one
// tag the greater version wins everywhere, so sites that have seen the same changes are equal. A
// change made here is greater than what it replaces, whatever the clock says.
struct Version {
  base::WallTime time{};
  std::string site{};  // id of the site
  auto operator<=>(const Version&) const = default;
};

struct TagRecord {
  oci::Digest digest;
  base::WallTime changed;  // when the tag came to point here
  base::WallTime checked;  // when an upstream last confirmed it; equals changed for local tags
  Version version{};       // of the change that made it point here
};

// Why a tag moved; kept in the journal.
enum class Cause : std::uint8_t {
  push = 1,
  mirror = 2,
  removed_upstream = 3,
  deletion = 4,
  rollback = 5,
  adoption = 6,
  replication = 7,
  superseded = 8,  // history only: what another site had set meanwhile, and lost
};

std::optional<TagRecord> tag(const View& view, const oci::RepositoryName& repository,
                             const oci::Tag& tag);
// Creates the repository when new: a mirrored one for Cause::mirror. A change of digest appends a
// journal row; `who` did it (empty: nobody with a name).
void set_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
             const oci::Digest& digest, base::WallTime now, Cause cause, std::string_view who = {});
// An upstream confirmed the tag as it stands; no journal row. No effect when the tag is gone or
// points elsewhere by now.
void confirm_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                 const oci::Digest& digest, base::WallTime now);
// True when there was one.
bool remove_tag(Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                base::WallTime now, Cause cause, std::string_view who = {});
// Up to `limit` tags in byte order after `after`.
std::vector<oci::Tag> tags(const View& view, const oci::RepositoryName& repository,
                           std::string_view after, std::size_t limit);
// Digests this tag pointed to before, newest first, at most `limit`.
std::vector<oci::Digest> tag_history(const View& view, const oci::RepositoryName& repository,
                                     const oci::Tag& tag, std::size_t limit);

// Tags of this repository that point to `digest`, in byte order, at most `limit`.
std::vector<oci::Tag> tags_of(const View& view, const oci::RepositoryName& repository,
                              const oci::Digest& digest, std::size_t limit);
// One move of a tag, as the journal has it.
struct TagChange {
  std::uint64_t sequence = 0;
  base::WallTime time;
  Cause cause = Cause::push;
  std::string who;
  std::optional<oci::Digest> from;  // absent: the tag was new
  std::optional<oci::Digest> to;    // absent: the tag was removed
};
// Newest first, with a sequence below `before` (0: from the newest), at most `limit`; as far back
// as drop_history() has left.
std::vector<TagChange> tag_changes(const View& view, const oci::RepositoryName& repository,
                                   const oci::Tag& tag, std::uint64_t before, std::size_t limit);

// ---- repositories -----------------------------------------------------------------------------

bool repository_exists(const View& view, const oci::RepositoryName& repository);
// Absent when it does not exist.
std::optional<RepositoryKind> repository_kind(const View& view,
                                              const oci::RepositoryName& repository);
// As what its name was first used, also when nothing is left of it: what was local once is never
// answered for by somebody else, and what was mirrored never becomes local. Who may write asks
// this.
std::optional<RepositoryKind> claimed_as(const View& view, const oci::RepositoryName& repository);
// Local repositories and those mirrored from `upstreams`: up to `limit` names in byte order after
// `after`.
std::vector<oci::RepositoryName> repositories(const View& view,
                                              std::span<const std::string> upstreams,
                                              std::string_view after, std::size_t limit);

// What one repository holds; kept up to date by every change, one look. Each digest counts with
// what its blob or manifest was when it was last linked here, and until it is unlinked: also while
// the store has lost it.
struct Usage {
  std::uint64_t bytes = 0;  // of its distinct blobs and manifests, as if it were alone
  std::uint64_t links = 0;  // of them
  std::uint64_t tags = 0;
};
Usage usage(const View& view, const oci::RepositoryName& repository);
// The same over all local repositories that a pattern matches, for patterns that end in their only
// wildcard: "team/**" (every name below), "team/*" (names of one component more), "**", "*". One
// look, however many match.
bool has_sum(std::string_view pattern);
// REQUIRES: has_sum.
Usage usage_sum(const View& view, std::string_view pattern);
struct RepositoryUsage {
  oci::RepositoryName repository;
  Usage usage;
};
// Local repositories whose name begins with `prefix`, in byte order after `after`.
std::vector<RepositoryUsage> usages(const View& view, std::string_view prefix,
                                    std::string_view after, std::size_t limit);

// ---- blobs and links --------------------------------------------------------------------------

// A blob the store holds. Written after BlobStore::commit, never before.
struct BlobRecord {
  std::uint64_t size = 0;
  base::WallTime stored;
};
std::optional<BlobRecord> blob(const View& view, const oci::Digest& digest);
void put_blob(Batch& batch, const oci::Digest& digest, std::uint64_t size, base::WallTime now);
// The store lost it: forget the row, keep links and edges (it may be had again).
void forget_blob(Batch& batch, const oci::Digest& digest);
struct BlobTotals {
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
};
BlobTotals blob_totals(const View& view);

// The right of a repository to a digest, earned by a push, a mount, or its own upstream. Nothing is
// answered without it (design.md "Bytes").
bool linked(const View& view, const oci::RepositoryName& repository, const oci::Digest& digest);
// Creates the repository when new, as one of this kind. The blob or manifest row is written before:
// its size is counted in the repository's usage. A link that is there stays as old as it is, but
// counts with the size of now.
void link(Batch& batch, const oci::RepositoryName& repository, RepositoryKind kind,
          const oci::Digest& digest, base::WallTime now);
void unlink(Batch& batch, const oci::RepositoryName& repository, const oci::Digest& digest);
// Whether any repository mirrored from `upstream` holds a link to `digest`. One look, however many
// do.
bool linked_beside(const View& view, std::string_view upstream, const oci::Digest& digest);
// Digests linked in the repository above `after`, in key order, at most `limit`.
std::vector<oci::Digest> links(const View& view, const oci::RepositoryName& repository,
                               const std::optional<oci::Digest>& after, std::size_t limit);
// Names of repositories that hold a link to `digest`, at most `limit`.
std::vector<oci::RepositoryName> linked_in(const View& view, const oci::Digest& digest,
                                           std::size_t limit);
// The descriptor under which a manifest linked in this repository lists `digest`; absent when none
// does. Its size is what upstream promised, not what is stored.
std::optional<oci::Descriptor> listed(const View& view, const oci::RepositoryName& repository,
                                      const oci::Digest& digest);

// ---- manifests and the graph ------------------------------------------------------------------

struct ManifestRecord {
  std::string media_type;
  std::string bytes;
};
std::optional<ManifestRecord> manifest(const View& view, const oci::Digest& digest);
struct ManifestInfo {
  std::string media_type;
  std::uint64_t size = 0;
};
std::optional<ManifestInfo> manifest_info(const View& view, const oci::Digest& digest);

// Stores the bytes exactly, its edges both ways, and a referrer row when it has a subject; links it
// in `repository`, as link() does. Idempotent.
void put_manifest(Batch& batch, const oci::RepositoryName& repository, RepositoryKind kind,
                  const oci::Digest& digest, std::string_view bytes, const oci::Manifest& parsed,
                  base::WallTime now);

// Edges in the order they stand in the manifest.
std::vector<oci::Edge> edges(const View& view, const oci::Digest& manifest);

// Whether a repository may give `digest`, which a manifest it may give lists, without asking its
// upstream: it holds a link, or another repository of the same upstream does. `upstream` is empty
// for a local repository, where only its own link counts.
bool attainable(const View& view, const oci::RepositoryName& repository, std::string_view upstream,
                const oci::Digest& digest);

// Whether a client can have everything it needs of a manifest linked in `repository`, there and
// without its upstream: for an image its config and layers, for an index at least one child that is
// complete; each is held and attainable. Foreign layers do not count. Each digest is visited once.
enum class Completeness { complete, incomplete };
Completeness completeness(const View& view, const oci::RepositoryName& repository,
                          std::string_view upstream, const oci::Digest& manifest);

// ---- referrers (OCI 1.1) ----------------------------------------------------------------------

struct Referrer {
  oci::Descriptor descriptor;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};
// Referrers of `subject` linked in `repository`, in digest order after `after`, at most `limit`;
// `artifact_type` empty: all.
std::vector<Referrer> referrers(const View& view, const oci::RepositoryName& repository,
                                const oci::Digest& subject, std::string_view artifact_type,
                                const std::optional<oci::Digest>& after, std::size_t limit);

}  // namespace entrepot::index
