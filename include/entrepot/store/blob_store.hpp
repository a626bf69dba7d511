// Bytes by digest. The store knows nothing of repositories: who may see a blob is the index's word.
//
// A blob becomes visible only by commit(), whole and verified. An open descriptor stays readable
// whatever happens to the name. Layout on disk: src/store/layout.hpp. All calls are thread-safe;
// those that return a Task do their waiting on the blocking pool.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/unique_fd.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/store/spool.hpp"

namespace entrepot::store {

struct BlobInfo {
  std::uint64_t size = 0;
};

// The Spool's bytes are not what was claimed. The Spool is gone, and with it what it had on disk.
class CommitRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Metadata only; absent when there is no such blob.
  virtual std::optional<BlobInfo> find(const oci::Digest& digest) const = 0;

  // A source over the whole blob; absent when there is none. `expected_size`, from the index: a
  // file of another size is not the blob any more (reliability.md C-04); it is moved to quarantine,
  // logged, and reported absent.
  virtual std::unique_ptr<async::ByteSource> open(const oci::Digest& digest,
                                                  std::uint64_t expected_size) = 0;

  // Where bytes arrive, on the store's own file system. `begin` makes an anonymous Spool that a
  // restart sweeps; `begin_or_resume` one named after the digest that survives a restart: it comes
  // back with the bytes it had, hashed again in slices (0.7 s per GB, two at once; a caller that is
  // cancelled meanwhile leaves the bytes where they are). Only one at a time may be open for a
  // digest (std::system_error, EBUSY). An error of ours (EMFILE) leaves the bytes, too.
  virtual std::unique_ptr<Spool> begin(oci::Algorithm algorithm) = 0;
  virtual async::Task<std::unique_ptr<Spool>> begin_or_resume(const oci::Digest& digest) = 0;

  // The Spool of an upload session: `id` is 32 hexadecimal characters, `notes` the session's own
  // words (4 KiB at most, no secrets), kept beside it as long as it is. Both survive a restart.
  // Destruction without commit leaves the bytes (not synced); discard_upload() ends the session.
  // A commit that refuses leaves them, too. Only one at a time may be open for an id (EBUSY).
  virtual std::unique_ptr<Spool> begin_upload(const std::string& id, oci::Algorithm algorithm,
                                              std::string_view notes) = 0;
  // With its bytes hashed again in slices, as begin_or_resume(); null when there is none.
  virtual async::Task<std::unique_ptr<Spool>> resume_upload(std::string id,
                                                            oci::Algorithm algorithm) = 0;
  struct UploadFile {
    std::string id;
    std::string notes;
    std::uint64_t size = 0;
    base::WallTime changed;  // of the file
  };
  // Shows what lies there, of this run and of earlier ones, one at a time and in no order; `visit`
  // may discard what it is shown.
  virtual void uploads(const std::function<void(const UploadFile&)>& visit) const = 0;
  // Idempotent; also while its Spool is open, which then holds bytes without a name.
  virtual void discard_upload(const std::string& id) = 0;

  // Order is the promise: digest compared -> fdatasync -> rename into place -> fsync of the
  // directory. When it returns, the blob survives a power cut. One that was already there is
  // replaced by these bytes, which have just been verified; who reads it reads on. Throws
  // CommitRefused on another digest, std::system_error when the disk refuses; the Spool is dropped
  // then. A flush that fails with EIO ends the process (exit 70, reliability.md rule 13).
  virtual async::Task<BlobInfo> commit(std::unique_ptr<Spool> spool, const oci::Digest& digest) = 0;

  // A file of somebody else takes the place of a Spool. The caller has read it to its end and
  // compared its digest. Hard-linked where `how` asks for it and the file system allows, else
  // copied and hashed again meanwhile. Durable as commit(). Throws CommitRefused,
  // std::system_error.
  enum class Bring { link, copy };
  virtual async::Task<BlobInfo> bring(const base::UniqueFd& file, const oci::Digest& digest,
                                      Bring how) = 0;

  // Idempotent.
  virtual void remove(const oci::Digest& digest) = 0;
  // Moves it to trash under its own name, for a file nobody claims; idempotent.
  virtual void trash(const oci::Digest& digest) = 0;
  // Removes what went to trash before `before`, by the kernel's clock; how many bytes.
  virtual std::uint64_t empty_trash(base::WallTime before) = 0;
  // When the file was last written; absent when there is none.
  virtual std::optional<base::WallTime> written(const oci::Digest& digest) const = 0;

  // Up to `limit` digests above `after`, ascending by algorithm and hexadecimal text.
  virtual std::vector<oci::Digest> list(const std::optional<oci::Digest>& after,
                                        std::size_t limit) const = 0;

  // Bytes free for us on the file system.
  virtual std::uint64_t free_bytes() const = 0;
};

// Thrown when another process holds the data directory (reliability.md D-14).
class DirectoryInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The lock on a data directory: taken first, held for the life of the process, gone with it even
// after kill -9. Creates the directory (0700). Throws DirectoryInUse or std::system_error.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& data);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  base::UniqueFd fd_;
};

// Opens the store in <data>, making what is missing in it, and sweeps anonymous Spools of an
// earlier run, fills nobody touched for a week, and halves of upload sessions. REQUIRES: a
// DirectoryLock on `data`. The pool must outlive the store. Throws std::system_error, also when the
// file system cannot keep the promise of commit (a probe is made).
std::unique_ptr<BlobStore> open_filesystem_store(const std::filesystem::path& data,
                                                 async::BlockingPool& pool);

}  // namespace entrepot::store
