#include "transfer/foreign_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace entrepot::transfer {

namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
// O_NONBLOCK: a FIFO put there in the last moment does not make us wait.
constexpr int file_flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

bool is_absence(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

bool leads_away(std::string_view name) { return name.empty() || name == "." || name == ".."; }

// Not open when it is absent.
base::UniqueFd open_name(int folder, std::string_view name, int flags) {
  if (leads_away(name)) return {};
  const std::string text(name);
  base::UniqueFd opened(openat(folder, text.c_str(), flags));
  if (!opened && !is_absence(errno)) base::throw_errno("cannot open", text.c_str());
  return opened;
}

bool is_regular(int folder, const std::string& name) {
  struct stat info{};
  return fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

// Calls `visit` with each name but those of the folder itself and of the one it is in.
template <class Visit>
void each_name(int folder, Visit visit) {
  // fdopendir() takes its descriptor over, and readdir() moves its offset.
  base::UniqueFd own(openat(folder, ".", folder_flags));
  if (!own) base::throw_errno("cannot read directory");
  const std::unique_ptr<DIR, CloseDir> dir(fdopendir(own.get()));
  if (!dir) base::throw_errno("cannot read directory");
  own.release();
  errno = 0;
  while (const dirent* entry = readdir(dir.get())) {
    if (!leads_away(entry->d_name)) visit(std::string(entry->d_name));
    errno = 0;
  }
  if (errno != 0) base::throw_errno("cannot read directory");
}

}  // namespace

ForeignFolder::ForeignFolder(const std::filesystem::path& path)
    : ForeignFolder(base::UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))) {
  if (!*fd_) base::throw_errno("cannot open", path.c_str());
}

std::optional<ForeignFolder> ForeignFolder::inside(std::string_view path) const {
  auto folder = *this;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    auto next = open_name(folder.fd(), path.substr(0, slash), folder_flags);
    if (!next) return std::nullopt;
    folder = ForeignFolder(std::move(next));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return folder;
}

std::optional<ForeignFolder::File> ForeignFolder::open(std::string_view path) const {
  const auto slash = path.rfind('/');
  if (slash != path.npos) {
    const auto folder = inside(path.substr(0, slash));
    return folder ? folder->open(path.substr(slash + 1)) : std::nullopt;
  }
  // Opening a device may do something; so it is looked at before, and again after.
  if (leads_away(path) || !is_regular(fd(), std::string(path))) return std::nullopt;
  File file{.fd = open_name(fd(), path, file_flags)};
  struct stat info{};
  if (!file.fd || fstat(file.fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  file.size = static_cast<std::uint64_t>(info.st_size);
  return file;
}

std::optional<std::string> ForeignFolder::text(std::string_view path, std::size_t most) const {
  const auto file = open(path);
  if (!file) return std::nullopt;
  auto text = read_at(file->fd, 0, most + 1);
  if (text.size() > most) return std::nullopt;
  return text;
}

std::vector<std::string> ForeignFolder::folders() const {
  std::vector<std::string> names;
  each_name(fd(), [&](std::string name) {
    struct stat info{};
    if (fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (S_ISDIR(info.st_mode)) names.push_back(std::move(name));
  });
  std::ranges::sort(names);
  return names;
}

std::uint64_t ForeignFolder::bytes(int depth) const {
  std::uint64_t sum = 0;
  each_name(fd(), [&](const std::string& name) {
    struct stat info{};
    if (fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (S_ISREG(info.st_mode)) sum += static_cast<std::uint64_t>(info.st_size);
    if (!S_ISDIR(info.st_mode) || depth == 0) return;
    try {
      if (const auto folder = inside(name)) sum += folder->bytes(depth - 1);
    } catch (const std::system_error&) {
      return;  // told when it is wanted
    }
  });
  return sum;
}

std::string read_at(const base::UniqueFd& file, std::uint64_t offset, std::size_t most) {
  std::string text;
  while (text.size() < most) {
    const auto before = text.size();
    const auto step = std::min<std::size_t>(most - before, 1 << 20);
    text.resize(before + step);
    const auto got =
        pread(file.get(), text.data() + before, step, static_cast<off_t>(offset + before));
    if (got < 0 && errno != EINTR) base::throw_errno("cannot read");
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  return text;
}

}  // namespace entrepot::transfer
