#include "store/filesystem_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "store/layout.hpp"
#include "store/probe.hpp"

namespace entrepot::store {
namespace {

constexpr std::array algorithms{oci::Algorithm::sha256, oci::Algorithm::sha512};
constexpr unsigned shards = 256;
// Hashing what a large fill left takes seconds. In between others get at the pool, and a caller
// that is stopped goes.
constexpr std::uint64_t hash_slice = std::uint64_t{64} << 20;
constexpr std::size_t resumes_at_once = 2;
constexpr std::chrono::hours for_ever{24 * 365};
constexpr std::chrono::hours stale_fill{24 * 7};

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

}  // namespace

FilesystemStore::FilesystemStore(const std::filesystem::path& data, async::BlockingPool& pool)
    : pool_(pool),
      closer_(std::make_shared<Closer>(pool)),
      data_(data),
      blobs_(made_inside(data_, layout::blobs)),
      quarantine_(made_inside(data_, layout::quarantine)),
      trash_(made_inside(data_, layout::trash)),
      spools_(std::make_shared<SpoolFolder>(made_inside(data_, layout::spool), closer_)),
      resumes_(resumes_at_once) {
  make_shards(blobs_);
  data_.sync();
  probe_file_system(spools_->folder(), blobs_);
  spools_->sweep(base::system_clock().wall() - stale_fill);
}

FilesystemStore::~FilesystemStore() { closer_->retire(); }

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
      return async::file_source(closer_->share(std::move(file)), expected_size);
    }
    const std::lock_guard lock(names_);
    if (set_aside_unless(digest, expected_size) == SetAside::yes) return nullptr;
    // A commit has put a good one there since.
  }
}

std::unique_ptr<Spool> FilesystemStore::begin(oci::Algorithm algorithm) {
  return FileSpool::anonymous(spools_, algorithm);
}

async::Task<std::unique_ptr<Spool>> FilesystemStore::begin_or_resume(const oci::Digest& digest) {
  auto spool = co_await pool_.run([this, &digest] { return FileSpool::fill(spools_, digest); });
  co_await hash_left(*spool);
  co_return spool;
}

async::Task<> FilesystemStore::hash_left(FileSpool& spool) {
  std::optional<async::Limiter::Permit> permit;
  while (spool.resuming()) {
    if (!permit) permit = co_await resumes_.acquire(for_ever);
    co_await pool_.run([&spool] { spool.resume(hash_slice); });
  }
}

std::optional<Folder> FilesystemStore::find_shard(const oci::Digest& digest) const {
  return blobs_.inside(oci::to_string(digest.algorithm())).find_inside(layout::shard(digest));
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

std::optional<base::WallTime> FilesystemStore::written(const oci::Digest& digest) const {
  const auto shard = find_shard(digest);
  const auto info = shard ? shard->look_at(digest.hex()) : std::nullopt;
  if (!info || !S_ISREG(info->st_mode)) return std::nullopt;
  return written_at(*info);
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

std::unique_ptr<BlobStore> open_filesystem_store(const std::filesystem::path& data,
                                                 async::BlockingPool& pool) {
  return std::make_unique<FilesystemStore>(data, pool);
}

}  // namespace entrepot::store
