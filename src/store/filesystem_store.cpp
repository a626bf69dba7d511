#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <utility>

#include "entrepot/async/limiter.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/store/blob_store.hpp"
#include "store/durable.hpp"
#include "store/file_spool.hpp"
#include "store/folder.hpp"
#include "store/layout.hpp"
#include "store/probe.hpp"
#include "store/spool_folder.hpp"

namespace entrepot::store {
namespace {

constexpr std::array algorithms{oci::Algorithm::sha256, oci::Algorithm::sha512};
constexpr unsigned shards = 256;
// Hashing what a large fill left takes seconds. In between others get at the pool, and a caller
// that is stopped goes.
constexpr std::uint64_t hash_slice = std::uint64_t{64} << 20;
constexpr std::size_t resumes_at_once = 2;
constexpr std::chrono::hours for_ever{24 * 365};

Folder made_inside(const Folder& folder, std::string_view name) {
  folder.make(std::string(name));
  return folder.inside(name);
}

// The shards of the usual algorithm, all at start, so that commit has one directory to sync. Those
// of the other are made when the first blob wants one.
void make_shards(const Folder& blobs) {
  for (const auto algorithm : algorithms) blobs.make(std::string(oci::to_string(algorithm)));
  const auto folder = blobs.inside(oci::to_string(oci::Algorithm::sha256));
  for (unsigned number = 0; number < shards; ++number) folder.make(layout::shard(number));
  folder.sync();
  blobs.sync();
}

// Nothing there, or a planted symlink, which openat2 refuses with the other two.
bool is_absence(int error) { return error == ENOENT || error == ELOOP || error == EXDEV; }

// Absent when it is no regular file.
std::optional<std::uint64_t> regular_size(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) base::throw_errno("cannot look at a stored file");
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

class FilesystemStore final : public BlobStore {
 public:
  FilesystemStore(const std::filesystem::path& data, async::BlockingPool& pool)
      : pool_(pool),
        data_(data),
        blobs_(made_inside(data_, layout::blobs)),
        quarantine_(made_inside(data_, layout::quarantine)),
        spools_(std::make_shared<SpoolFolder>(made_inside(data_, layout::spool))) {
    make_shards(blobs_);
    data_.sync();
    probe_file_system(spools_->folder(), blobs_);
    spools_->sweep();
  }

  std::optional<BlobInfo> find(const oci::Digest& digest) const override;
  std::unique_ptr<async::ByteSource> open(const oci::Digest& digest,
                                          std::uint64_t expected_size) override;
  std::unique_ptr<Spool> begin(oci::Algorithm algorithm) override;
  async::Task<std::unique_ptr<Spool>> begin_or_resume(const oci::Digest& digest) override;
  async::Task<BlobInfo> commit(std::unique_ptr<Spool> spool, const oci::Digest& digest) override;
  void remove(const oci::Digest& digest) override;
  std::vector<oci::Digest> list(const std::optional<oci::Digest>& after,
                                std::size_t limit) const override;
  std::uint64_t free_bytes() const override;

 private:
  void place(FileSpool& spool, const oci::Digest& digest);
  enum class SetAside { yes, no };
  // Moves what is no blob of this size to quarantine. REQUIRES: names_ is held.
  SetAside set_aside_unless(const oci::Digest& digest, std::uint64_t expected_size);
  std::optional<Folder> find_shard(const oci::Digest& digest) const {
    return blobs_.inside(oci::to_string(digest.algorithm())).find_inside(layout::shard(digest));
  }
  Folder ensure_shard(const oci::Digest& digest) const;

  async::BlockingPool& pool_;
  Folder data_;
  Folder blobs_;
  Folder quarantine_;
  std::shared_ptr<SpoolFolder> spools_;
  async::Limiter resumes_{resumes_at_once};
  // Between judging a file by its size and moving it away nobody puts a good one in its place.
  std::mutex names_;
};

std::optional<BlobInfo> FilesystemStore::find(const oci::Digest& digest) const {
  const auto path = layout::blob_path(digest);
  const auto file = blobs_.open_file(path, O_PATH);
  if (!file) {
    if (is_absence(errno)) return std::nullopt;
    base::throw_errno("cannot look for", path.c_str());
  }
  const auto size = regular_size(file.get());
  if (!size) return std::nullopt;
  return BlobInfo{*size};
}

std::unique_ptr<async::ByteSource> FilesystemStore::open(const oci::Digest& digest,
                                                         std::uint64_t expected_size) {
  const auto path = layout::blob_path(digest);
  for (;;) {
    // O_NONBLOCK: a planted FIFO must not make us wait.
    auto file = blobs_.open_file(path, O_RDONLY | O_NONBLOCK);
    if (!file && errno == ENOENT) return nullptr;
    if (!file && !is_absence(errno)) base::throw_errno("cannot open", path.c_str());
    if (file && regular_size(file.get()) == expected_size) {
      return async::file_source(std::make_shared<const base::UniqueFd>(std::move(file)),
                                expected_size);
    }
    const std::lock_guard lock(names_);
    if (set_aside_unless(digest, expected_size) == SetAside::yes) return nullptr;
    // A commit has put a good one there since.
  }
}

std::unique_ptr<Spool> FilesystemStore::begin(oci::Algorithm algorithm) {
  return std::make_unique<FileSpool>(spools_, algorithm);
}

async::Task<std::unique_ptr<Spool>> FilesystemStore::begin_or_resume(const oci::Digest& digest) {
  auto spool =
      co_await pool_.run([this, &digest] { return std::make_unique<FileSpool>(spools_, digest); });
  std::optional<async::Limiter::Permit> permit;
  while (spool->resuming()) {
    if (!permit) permit = co_await resumes_.acquire(for_ever);
    co_await pool_.run([&spool] { spool->resume(hash_slice); });
  }
  co_return spool;
}

async::Task<BlobInfo> FilesystemStore::commit(std::unique_ptr<Spool> spool,
                                              const oci::Digest& digest) {
  auto& file = dynamic_cast<FileSpool&>(*spool);
  if (const auto actual = file.digest(); actual != digest) {
    throw CommitRefused("content is " + actual.text() + ", not " + digest.text());
  }
  co_await pool_.run([this, &file, &digest] { place(file, digest); });
  co_return BlobInfo{file.size()};
}

// The promise (reliability.md rule 8): content synced, then the name, then the name synced.
void FilesystemStore::place(FileSpool& spool, const oci::Digest& digest) {
  sync_content(spool.file()->get());
  const auto& spool_folder = spools_->folder();
  const auto shard = ensure_shard(digest);
  const auto name = digest.hex();
  {
    const std::lock_guard lock(names_);
    if (spool_folder.move_new(spool.name(), shard, name) == Folder::Moved::already_there) {
      set_aside_unless(digest, spool.size());
      // What is left there may have rotted; these bytes were verified just now, so they replace it.
      if (!spool_folder.move_over(spool.name(), shard, name)) {
        base::throw_errno("commit: spool lost");
      }
    }
  }
  spool.moved_away();
  shard.sync();
}

FilesystemStore::SetAside FilesystemStore::set_aside_unless(const oci::Digest& digest,
                                                            std::uint64_t expected_size) {
  const auto there = find(digest);
  if (there && there->size == expected_size) return SetAside::no;
  base::log::error("stored blob is not what it was, moved to quarantine",
                   {{"digest", digest.text()},
                    {"expected_bytes", expected_size},
                    {"found", there ? std::to_string(there->size) + " bytes" : "no file"}});
  if (const auto shard = find_shard(digest)) {
    shard->move_over(digest.hex(), quarantine_, layout::quarantined(digest));
  }
  return SetAside::yes;
}

Folder FilesystemStore::ensure_shard(const oci::Digest& digest) const {
  if (auto shard = find_shard(digest)) return std::move(*shard);
  const auto folder = blobs_.inside(oci::to_string(digest.algorithm()));
  auto shard = made_inside(folder, layout::shard(digest));
  folder.sync();
  return shard;
}

void FilesystemStore::remove(const oci::Digest& digest) {
  if (const auto shard = find_shard(digest)) shard->remove(digest.hex());
}

std::vector<oci::Digest> FilesystemStore::list(const std::optional<oci::Digest>& after,
                                               std::size_t limit) const {
  std::vector<oci::Digest> found;
  for (const auto algorithm : algorithms) {
    if (after && algorithm < after->algorithm()) continue;
    const bool same_algorithm = after && after->algorithm() == algorithm;
    const auto folder = blobs_.inside(oci::to_string(algorithm));
    const auto first = same_algorithm ? std::to_integer<unsigned>(after->raw()[0]) : 0U;
    for (unsigned number = first; number < shards && found.size() < limit; ++number) {
      const auto shard = folder.find_inside(layout::shard(number));
      if (!shard) continue;
      const auto old_size = static_cast<std::ptrdiff_t>(found.size());
      for (const auto& name : shard->names()) {
        const auto digest = layout::blob_in_shard(algorithm, name);
        if (digest && (!after || *after < *digest)) found.push_back(*digest);
      }
      std::sort(found.begin() + old_size, found.end());
    }
  }
  if (found.size() > limit)
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(limit), found.end());
  return found;
}

std::uint64_t FilesystemStore::free_bytes() const {
  struct statvfs info{};
  if (fstatvfs(data_.fd(), &info) != 0) base::throw_errno("cannot look at the file system");
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace

std::unique_ptr<BlobStore> open_filesystem_store(const std::filesystem::path& data,
                                                 async::BlockingPool& pool) {
  return std::make_unique<FilesystemStore>(data, pool);
}

}  // namespace entrepot::store
