// FilesystemStore: how bytes become a blob.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "entrepot/base/log.hpp"
#include "store/durable.hpp"
#include "store/filesystem_store.hpp"
#include "store/layout.hpp"

namespace entrepot::store {
namespace {

// What is copied takes the pool slice by slice, so that others get at it in between.
constexpr std::uint64_t copy_slice = std::uint64_t{64} << 20;
constexpr std::size_t copy_bytes = std::size_t{1} << 20;

// The file system has no second name to give, or not for this file: then it is copied.
bool is_no_link(int error) {
  constexpr std::array answers{EXDEV, EMLINK, EPERM, EACCES, EOPNOTSUPP, ENOENT};
  return std::ranges::find(answers, error) != answers.end();
}

// False when it is copied to its end.
bool copy_some(const base::UniqueFd& from, Spool& to) {
  std::vector<std::byte> buffer(copy_bytes);
  for (const auto end = to.size() + copy_slice; to.size() < end;) {
    const auto at = static_cast<off_t>(to.size());
    const auto got = pread(from.get(), buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) base::throw_errno("read a file to be brought here");
    if (got == 0) return false;
    to.append({buffer.data(), static_cast<std::size_t>(got)});
  }
  return true;
}

}  // namespace

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
  settle(spool.name(), spool.size(), digest);
  spool.moved_away();
  if (spool.kind() == FileSpool::Kind::upload) {
    spools_->remove_upload(layout::upload_in(spool.name()));
  }
}

void FilesystemStore::settle(const std::string& spool_name, std::uint64_t size,
                             const oci::Digest& digest) {
  const auto& spool_folder = spools_->folder();
  const auto shard = ensure_shard(digest);
  const auto name = digest.hex();
  {
    const std::lock_guard lock(names_);
    if (spool_folder.move_new(spool_name, shard, name) == Folder::Moved::already_there) {
      set_aside_unless(digest, size);
      // What is left there may have rotted; these bytes were verified just now, so they replace it.
      if (!spool_folder.move_over(spool_name, shard, name)) {
        base::throw_errno("commit: spool lost");
      }
      // Two names of one file, and rename() leaves both.
      spool_folder.remove(spool_name);
    }
  }
  shard.sync();
}

async::Task<BlobInfo> FilesystemStore::bring(const base::UniqueFd& file, const oci::Digest& digest,
                                             Bring how) {
  if (how == Bring::link) {
    const auto linked = co_await pool_.run([&] { return place_link(file, digest); });
    if (linked) co_return *linked;
  }
  auto spool = co_await pool_.run([&] { return begin(digest.algorithm()); });
  while (co_await pool_.run([&] { return copy_some(file, *spool); })) {
  }
  co_return co_await commit(std::move(spool), digest);
}

std::optional<BlobInfo> FilesystemStore::place_link(const base::UniqueFd& file,
                                                    const oci::Digest& digest) {
  struct stat info{};
  if (fstat(file.get(), &info) != 0) base::throw_errno("cannot look at a file to be brought here");
  const auto name = layout::anonymous_spool();
  const auto open_file = "/proc/self/fd/" + std::to_string(file.get());
  const int spool_fd = spools_->folder().fd();
  if (linkat(AT_FDCWD, open_file.c_str(), spool_fd, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    if (is_no_link(errno)) return std::nullopt;
    base::throw_errno("cannot link a file to be brought here");
  }
  try {
    sync_content(file.get());
    settle(name, static_cast<std::uint64_t>(info.st_size), digest);
  } catch (...) {
    spools_->folder().remove(name);
    throw;
  }
  return BlobInfo{static_cast<std::uint64_t>(info.st_size)};
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

}  // namespace entrepot::store
