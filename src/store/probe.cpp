#include "store/probe.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "entrepot/base/log.hpp"
#include "store/durable.hpp"
#include "store/layout.hpp"

namespace entrepot::store {
namespace {

// Names of file systems on which fsync and rename may not mean what they say.
const char* doubtful_kind(int fd) {
  struct statfs info{};
  if (fstatfs(fd, &info) != 0) return nullptr;
  switch (static_cast<unsigned long>(info.f_type)) {
    case NFS_SUPER_MAGIC:
      return "nfs";
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
      return "smb";
    case FUSE_SUPER_MAGIC:
      return "fuse";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    default:
      return nullptr;
  }
}

void write_sync_move(const Folder& spool, const Folder& blobs, const std::string& name) {
  const auto file = spool.create_file(name);
  if (pwrite(file.get(), "?", 1, 0) != 1) base::throw_errno("probe: write");
  sync_content(file.get());
  if (!spool.move_over(name, blobs, name)) base::throw_errno("probe: rename");
  blobs.sync();
}

}  // namespace

void probe_file_system(const Folder& spool, const Folder& blobs) {
  if (const auto* kind = doubtful_kind(blobs.fd())) {
    base::log::warn("data directory is on a file system that may lose what it acknowledged",
                    {{"kind", kind}});
  }
  const auto name = layout::anonymous_spool();
  std::error_code failed;
  try {
    write_sync_move(spool, blobs, name);
  } catch (const std::system_error& error) {
    failed = error.code();
  }
  spool.remove(name);
  blobs.remove(name);
  if (!failed) return;
  if (failed.value() != ENOSPC && failed.value() != EDQUOT) {
    throw std::system_error(failed, "data directory unusable");
  }
  base::log::warn("data directory is full", {{"error", failed.message()}});
}

}  // namespace entrepot::store
