// Upload sessions: blobs on their way in, piece by piece (distribution-spec "Pushing blobs").
//
// A session belongs to one repository and one principal; to everybody else it does not exist
// (reliability.md P-05). Its id is 128 random bits and says nothing. Bytes and a small description
// lie in the store's spool folder, so that a session survives a broken connection and a restart of
// the daemon; its offset is the size of its file (rule 11). One writer at a time (P-07): another
// one is refused with range_invalid and the offset. Sessions idle for UploadLimits::expire are
// removed by sweep(), at start and on a timer (P-11), those a quota has stopped after ten minutes.
// Thread-safe.
//
// Quotas of bytes count what lies in open sessions, too, and are asked before bytes are taken: for
// a body of known length at its beginning, else while it comes. A refusal leaves the session with
// what it had, to be gone on with when there is room.
//
// Bytes are hashed and written on the pool, piece by piece, while the next piece gathers in the
// connection's receive buffer: a serving thread never waits for the disk, and nothing is copied but
// pieces too small to be worth a hop. A session that rests keeps its hash at hand; of those that
// rest longest it is derived from the file again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/async/task.hpp"
#include "entrepot/base/bytes.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/leases.hpp"
#include "entrepot/registry/policy.hpp"
#include "entrepot/registry/writer.hpp"

namespace entrepot::registry {

struct UploadKey {
  oci::RepositoryName repository;
  std::string principal;  // empty: anonymous
  std::string id;         // as in the path; anything may stand there
};

// Gives the next piece, empty at the end; throws when it cannot.
using NextPiece = std::function<async::Task<base::ByteView>()>;

class Uploads {
 public:
  // Finds the sessions an earlier run left, but for expired ones, which the first sweep() removes.
  // The pool serves hashing and writing.
  Uploads(store::BlobStore& store, Admission& admission, LeaseTable& leases, Writer& writer,
          const PolicySwitch& policy, async::BlockingPool& pool, const base::Clock& clock,
          base::Metrics& metrics);
  ~Uploads();
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  // A new session's id. Refusals: too_many_requests with Retry-After (P-12; the total alone counts
  // for anonymous principals, who may be many), denied by a quota.
  async::Task<std::string> open(oci::RepositoryName repository, std::string principal,
                                oci::Algorithm algorithm);
  // Bytes received. Absent: blob_upload_unknown.
  async::Task<std::optional<std::uint64_t>> offset(UploadKey key);

  // Appends what `pieces` yields; `at` is the first byte's offset when the client named one. What
  // arrived before an exception is kept and can be resumed from. Answers the new offset. Refusals:
  // range_invalid (Refusal::upload_offset tells where to go on), blob_upload_unknown, size_invalid
  // when `length` is given and other than what came.
  async::Task<std::uint64_t> append(UploadKey key, std::optional<std::uint64_t> at,
                                    std::optional<std::uint64_t> length, NextPiece pieces);
  // The last piece, then the digest is compared and the blob admitted and linked: durable when it
  // returns. digest_invalid and what the policy refuses of the whole blob remove the session; a
  // full disk leaves it.
  // Said again of a session that ended in this digest a while ago (the client lost our answer), it
  // answers as it did then, as long as the blob is there; of one that is just ending in it, it
  // waits for the outcome.
  async::Task<> finish(UploadKey key, std::optional<std::uint64_t> at,
                       std::optional<std::uint64_t> length, NextPiece pieces, oci::Digest digest,
                       index::Actor actor);
  // False when there was no such session. One that is being written to ends with its next piece.
  async::Task<bool> cancel(UploadKey key);

  // Removes what is idle for too long; how many and how many bytes.
  struct Swept {
    std::size_t sessions = 0;
    std::uint64_t bytes = 0;
  };
  async::Task<Swept> sweep();
  std::size_t open_sessions() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace entrepot::registry
