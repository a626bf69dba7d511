#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

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

// Names made at start only need one sync of the directory they stand in.
void make_shards(const Folder& blobs) {
  for (const auto algorithm : algorithms) {
    const auto folder = blobs.inside(oci::to_string(algorithm));
    for (unsigned number = 0; number < shards; ++number) folder.inside(layout::shard(number));
    folder.sync();
  }
  blobs.sync();
}

// Absent: not there. Anything else that stands in a blob's place counts as a file of wrong size.
std::optional<std::uint64_t> regular_size(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

class FilesystemStore final : public BlobStore {
 public:
  FilesystemStore(const std::filesystem::path& data, async::BlockingPool& pool)
      : pool_(pool),
        data_(data),
        blobs_(data_.inside(layout::blobs)),
        quarantine_(data_.inside(layout::quarantine)),
        spools_(std::make_shared<SpoolFolder>(data_.inside(layout::spool))) {
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
  void quarantine(const oci::Digest& digest);

  async::BlockingPool& pool_;
  Folder data_;
  Folder blobs_;
  Folder quarantine_;
  std::shared_ptr<SpoolFolder> spools_;
};

std::optional<BlobInfo> FilesystemStore::find(const oci::Digest& digest) const {
  struct stat info{};
  const auto path = layout::blob_path(digest);
  if (fstatat(blobs_.fd(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    base::throw_errno("cannot look at blob", path.c_str());
  }
  const auto size = regular_size(info);
  if (!size) return std::nullopt;
  return BlobInfo{*size};
}

std::unique_ptr<async::ByteSource> FilesystemStore::open(const oci::Digest& digest,
                                                         std::uint64_t expected_size) {
  const auto path = layout::blob_path(digest);
  auto file = blobs_.open_file(path, O_RDONLY);
  if (!file && errno == ENOENT) return nullptr;
  // ELOOP, EXDEV: a symlink was planted; it goes the way of a wrong file.
  if (!file && errno != ELOOP && errno != EXDEV) base::throw_errno("cannot open", path.c_str());
  struct stat info{};
  if (file && fstat(file.get(), &info) != 0) base::throw_errno("cannot look at", path.c_str());
  if (!file || regular_size(info) != expected_size) {
    base::log::error("stored blob is not what it was, moved to quarantine",
                     {{"digest", digest.text()},
                      {"expected_bytes", expected_size},
                      {"bytes", file ? static_cast<std::int64_t>(info.st_size) : -1}});
    quarantine(digest);
    return nullptr;
  }
  return async::file_source(std::make_shared<const base::UniqueFd>(std::move(file)), expected_size);
}

std::unique_ptr<Spool> FilesystemStore::begin(oci::Algorithm algorithm) {
  return std::make_unique<FileSpool>(spools_, algorithm);
}

async::Task<std::unique_ptr<Spool>> FilesystemStore::begin_or_resume(const oci::Digest& digest) {
  co_return co_await pool_.run([this, &digest]() -> std::unique_ptr<Spool> {
    return std::make_unique<FileSpool>(spools_, digest);
  });
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
  const auto shard =
      blobs_.inside(oci::to_string(digest.algorithm())).inside(layout::shard(digest));
  const auto name = digest.hex();
  if (spool_folder.move_new(spool.name(), shard, name) == Folder::Moved::already_there) {
    const auto there = find(digest);
    if (!there || there->size != spool.size()) quarantine(digest);
    // What stands there may have rotted; these bytes were verified just now, so they replace it.
    if (!spool_folder.move_over(spool.name(), shard, name)) base::throw_errno("commit: spool lost");
  }
  spool.moved_away();
  shard.sync();
}

void FilesystemStore::quarantine(const oci::Digest& digest) {
  blobs_.move_over(layout::blob_path(digest), quarantine_, layout::quarantined(digest));
}

void FilesystemStore::remove(const oci::Digest& digest) {
  blobs_.remove(layout::blob_path(digest));
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
      const auto old_size = static_cast<std::ptrdiff_t>(found.size());
      for (const auto& name : folder.inside(layout::shard(number)).names()) {
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
