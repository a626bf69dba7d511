// Changes of what local repositories hold: the write side of Local (distribution-spec "Push",
// "Content Management"). Called by the api handlers, adoption and replication.
//
// Every change is one index transaction with its journal and event rows: visible and durable when
// the call returns, all of it or nothing. Refusals are oci::Refusal: denied for read-only mode,
// immutable tags and quotas, manifest_blob_unknown for what a manifest lists and is not here (all
// of it named), unsupported where deletion is off. Callers have asked auth::Gate before.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/leases.hpp"
#include "entrepot/registry/policy.hpp"

namespace entrepot::registry {

enum class TagMove { allowed, refused };  // refused: the caller may only create tags

struct ManifestPut {
  oci::RepositoryName repository;
  std::optional<oci::Digest> digest;  // named by the client; must be that of the bytes
  std::vector<oci::Tag> tags;         // of the path, or of ?tag=
  std::string media_type;
  std::string bytes;
  oci::Algorithm algorithm = oci::Algorithm::sha256;  // when no digest was named
  TagMove tag_move = TagMove::allowed;
  // Where what is missing may be mounted from, if held and linked there: the mirrored repository
  // that answered for this name before it became local.
  std::optional<oci::RepositoryName> counterpart;
  index::Cause cause = index::Cause::push;  // as the journal tells it
  // Of a change that was made at another site; absent: of one made here, now. Where a greater
  // version stands, the tag stays; the manifest is stored all the same.
  std::optional<index::Version> version{};
  // Instead of what the policy says of all.
  std::optional<MissingContent> missing{};
};

struct ManifestStored {
  oci::Digest digest;
  std::optional<oci::Digest> subject;
};

enum class Mounted { yes, no };

// What the quotas of bytes that count a repository leave, as the index had it at one moment; bytes
// in open uploads are not in it.
struct Room {
  struct Quota {
    std::size_t number;  // in the policy's options
    std::uint64_t used;
    std::uint64_t allowed;
  };
  std::shared_ptr<const Policy> policy;
  std::vector<Quota> quotas;
};

class Writer {
 public:
  // Events are written when `record_events` says so (somebody listens).
  Writer(index::Index& index, LeaseTable& leases, const PolicySwitch& policy,
         const base::Clock& clock, std::function<bool()> record_events);

  async::Task<ManifestStored> put_manifest(ManifestPut put, index::Actor actor);

  // Links a blob `from` one of these repositories, the first that has it, all of which the caller
  // may read; no answer tells which digests exist elsewhere. `from` may be a mirrored one.
  async::Task<Mounted> mount(oci::RepositoryName repository, oci::Digest digest,
                             std::vector<oci::RepositoryName> from, index::Actor actor);
  // Repositories that hold a link to the digest, for a mount without `from`; at most `limit`.
  async::Task<std::vector<oci::RepositoryName>> holders(oci::Digest digest, std::size_t limit);

  // Deletions: absent content is false (404).
  async::Task<bool> delete_tag(oci::RepositoryName repository, oci::Tag tag, index::Actor actor,
                               index::Cause cause = index::Cause::deletion);
  // And every tag that points to it; refused when one of them is immutable.
  async::Task<bool> delete_manifest(oci::RepositoryName repository, oci::Digest digest,
                                    index::Actor actor,
                                    index::Cause cause = index::Cause::deletion);
  async::Task<bool> delete_blob(oci::RepositoryName repository, oci::Digest digest,
                                index::Actor actor);
  // In batches of some thousand rows while pushes go on; one that comes meanwhile is either kept
  // whole or removed whole with its tag (G-15). Refused when an immutable tag is in it.
  async::Task<bool> delete_repository(oci::RepositoryName repository, index::Actor actor);

  // Back to a digest this tag pointed to and that is still here. Throws manifest_unknown.
  async::Task<> rollback(oci::RepositoryName repository, oci::Tag tag, oci::Digest digest,
                         index::Actor actor);

  // A change made at another site, inside the caller's transaction, with its events:
  // index::apply_change under the rules of this registry: its quotas, immutable tags and whether it
  // deletes at all. A Refusal leaves the batch as it was.
  index::Applied apply(index::Batch& batch, const index::Change& change,
                       const index::Actor& actor) const;

  // The blob is here, and this repository may give it.
  async::Task<bool> has_blob(oci::RepositoryName repository, oci::Digest digest);

  // ---- for those who admit blobs (Uploads, adoption) --------------------------------------------

  // Links a blob whose row was just written; for use inside the transaction of Admission. Refusals
  // leave it as a Refusal: a mirrored repository, a quota.
  void link_blob(index::Batch& batch, const oci::RepositoryName& repository,
                 const oci::Digest& digest, std::uint64_t size, const index::Actor& actor) const;
  // What link_blob() would refuse, known before bytes are taken or committed; without a digest the
  // blob counts as new.
  async::Task<> check_room(oci::RepositoryName repository, std::optional<oci::Digest> digest,
                           std::uint64_t size);
  // For bytes that come piece by piece. Refuses read-only mode and mirrored repositories. Nothing
  // limits a digest that is linked already.
  async::Task<Room> room(oci::RepositoryName repository, std::optional<oci::Digest> digest);
  // What this many bytes and tags more would break, as a Refusal.
  void check_quota(const index::View& view, const oci::RepositoryName& repository,
                   std::uint64_t more_bytes, std::uint64_t more_tags) const;
  // Refuses while the registry is read-only.
  void check_writable() const;

 private:
  struct Put;
  void note_promises_kept(const Put& put, Promisee to) const;
  void store_manifest(index::Batch& batch, const Put& put) const;
  void check_tags(const index::View& view, const Put& put) const;
  static std::uint64_t count_new_tags(const index::View& view, const Put& put);
  void move_tag(index::Batch& batch, const Put& put, const oci::Tag& tag) const;
  static bool point(index::Batch& batch, const Put& put, const oci::Tag& tag);

  void check_change(const index::View& view, const index::Change& change,
                    const std::optional<oci::Digest>& before) const;
  void tell_of_change(index::Batch& batch, const index::Change& change,
                      const std::optional<oci::Digest>& before, const index::Actor& actor) const;

  void check_deletion() const;
  void check_immutable(const oci::RepositoryName& repository, const oci::Tag& tag) const;
  void check_no_immutable_tag(const index::View& view, const oci::RepositoryName& repository) const;
  void remove_tag(index::Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
                  const std::optional<oci::Digest>& digest, const index::Actor& actor,
                  index::Cause cause) const;
  // True when there is nothing left.
  bool delete_some(index::Batch& batch, const oci::RepositoryName& repository,
                   const index::Actor& actor) const;

  void tell(index::Batch& batch, index::Event event) const;
  void tell_of(index::Batch& batch, const Put& put, const std::string& tag) const;

  index::Index& index_;
  LeaseTable& leases_;
  const PolicySwitch& policy_;
  const base::Clock& clock_;
  std::function<bool()> record_events_;
};

}  // namespace entrepot::registry
