// Bytes arriving, not yet believed: an append-only file on the store's file system, hashed as it
// grows. Fill, push, replication and import are its writers; BlobStore::commit makes it a blob.
#pragma once

#include <cstdint>
#include <memory>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/unique_fd.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::store {

// One writer; file() and what it yields may be read from any thread while it grows (pread below
// size() as told by the writer). Destruction without commit or keep() removes the file.
class Spool {
 public:
  virtual ~Spool() = default;

  // All or nothing: on a failed write (std::system_error, ENOSPC among them) the file is cut back
  // to size() and the Spool stays usable.
  virtual void append(base::ByteView bytes) = 0;
  virtual std::uint64_t size() const = 0;
  virtual oci::Digest digest() const = 0;  // of the bytes so far
  // Running hash over the bytes so far, for one who goes on without the file.
  virtual oci::Hasher hasher() const = 0;
  // Stays readable after commit, removal or destruction.
  virtual std::shared_ptr<const base::UniqueFd> file() const = 0;
  // Empties it: size 0, fresh hash. Readers keep the old file (a new one is made).
  virtual void restart() = 0;
  // Leaves a named Spool's bytes on disk, to be resumed by begin_or_resume(). Durable when it
  // returns. No effect on an anonymous one.
  virtual void keep() = 0;
};

}  // namespace entrepot::store
