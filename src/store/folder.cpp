#include "store/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>

#include "store/durable.hpp"

namespace entrepot::store {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

// Kernels before 5.6, and seccomp filters that do not know the call.
std::atomic<bool> openat2_missing = false;

int open_beneath(int folder, const char* name, int flags) {
  if (!openat2_missing.load(std::memory_order_relaxed)) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
    openat2_missing = true;
  }
  return openat(folder, name, flags | O_NOFOLLOW);
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

}  // namespace

Folder::Folder(const std::filesystem::path& path)
    : fd_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) base::throw_errno("cannot open", path.c_str());
}

void Folder::make(const std::string& name) const {
  if (mkdirat(fd(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("cannot make", name.c_str());
  }
}

Folder Folder::inside(std::string_view name) const {
  if (auto found = find_inside(name)) return std::move(*found);
  base::throw_errno("cannot open", std::string(name).c_str());
}

std::optional<Folder> Folder::find_inside(std::string_view name) const {
  const std::string text(name);
  base::UniqueFd opened(openat(fd(), text.c_str(), folder_flags));
  if (opened) return Folder(std::move(opened));
  if (errno != ENOENT) base::throw_errno("cannot open", text.c_str());
  return std::nullopt;
}

base::UniqueFd Folder::open_file(const std::string& name, int flags) const {
  return base::UniqueFd(open_beneath(fd(), name.c_str(), flags | O_CLOEXEC));
}

base::UniqueFd Folder::create_file(const std::string& name) const {
  constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  base::UniqueFd created(openat(fd(), name.c_str(), flags, 0600));
  if (!created) base::throw_errno("cannot make", name.c_str());
  return created;
}

Folder::Moved Folder::move_new(const std::string& name, const Folder& to,
                               const std::string& new_name) const {
  if (renameat2(fd(), name.c_str(), to.fd(), new_name.c_str(), RENAME_NOREPLACE) == 0) {
    return Moved::yes;
  }
  if (errno == EEXIST) return Moved::already_there;
  // Some file systems do not know the flag.
  if (errno != EINVAL && errno != ENOSYS) base::throw_errno("cannot move", name.c_str());
  if (linkat(fd(), name.c_str(), to.fd(), new_name.c_str(), 0) != 0) {
    if (errno == EEXIST) return Moved::already_there;
    base::throw_errno("cannot move", name.c_str());
  }
  remove(name);
  return Moved::yes;
}

bool Folder::move_over(const std::string& name, const Folder& to,
                       const std::string& new_name) const {
  if (renameat(fd(), name.c_str(), to.fd(), new_name.c_str()) == 0) return true;
  if (errno != ENOENT) base::throw_errno("cannot move", name.c_str());
  return false;
}

void Folder::remove(const std::string& name) const {
  if (unlinkat(fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
    base::throw_errno("cannot remove", name.c_str());
  }
}

void Folder::each_name(const std::function<void(const std::string&)>& visit) const {
  // fdopendir() takes its descriptor over, and readdir() moves its offset.
  base::UniqueFd own(openat(fd(), ".", folder_flags));
  if (!own) base::throw_errno("cannot read directory");
  const std::unique_ptr<DIR, CloseDir> dir(fdopendir(own.get()));
  if (!dir) base::throw_errno("cannot read directory");
  own.release();
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(dir.get());
    if (entry == nullptr && errno != 0) base::throw_errno("cannot read directory");
    if (entry == nullptr) return;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") visit(std::string(name));
  }
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> names;
  each_name([&](const std::string& name) { names.push_back(name); });
  return names;
}

std::optional<struct stat> Folder::look_at(const std::string& name) const {
  struct stat info{};
  if (fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return info;
  if (errno != ENOENT) base::throw_errno("cannot look at", name.c_str());
  return std::nullopt;
}

void Folder::sync() const { sync_names(fd()); }

}  // namespace entrepot::store
