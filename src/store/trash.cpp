// FilesystemStore: files that nobody claims, on their way out.
#include "store/filesystem_store.hpp"
#include "store/layout.hpp"

namespace entrepot::store {
namespace {

// rename() touches nothing of a file but this time.
base::WallTime moved_at(const struct stat& info) {
  const auto since_1970 =
      std::chrono::seconds(info.st_ctim.tv_sec) + std::chrono::nanoseconds(info.st_ctim.tv_nsec);
  return base::WallTime(std::chrono::duration_cast<base::Milliseconds>(since_1970));
}

}  // namespace

void FilesystemStore::trash(const oci::Digest& digest) {
  const auto shard = find_shard(digest);
  if (!shard) return;
  const std::lock_guard lock(names_);
  shard->move_over(digest.hex(), trash_, layout::trashed(digest));
}

std::uint64_t FilesystemStore::empty_trash(base::WallTime before) {
  std::uint64_t bytes = 0;
  trash_.each_name([&](const std::string& name) {
    if (!layout::is_trashed(name)) return;
    const auto info = trash_.look_at(name);
    if (!info || !S_ISREG(info->st_mode) || moved_at(*info) >= before) return;
    trash_.remove(name);
    bytes += static_cast<std::uint64_t>(info->st_size);
  });
  return bytes;
}

}  // namespace entrepot::store
