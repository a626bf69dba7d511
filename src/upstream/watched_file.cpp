#include "upstream/watched_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <system_error>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::upstream {
namespace {

constexpr std::size_t most_bytes = 1024 * 1024;

std::unexpected<std::string> failed(const std::string& path) {
  return std::unexpected("cannot read " + path + ": " + std::generic_category().message(errno));
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

std::expected<std::string, std::string> WatchedFile::text() {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat now{};
  if (!file || ::fstat(file.get(), &now) != 0) return failed(path_);
  const std::lock_guard lock(mutex_);
  if (same(now, seen_)) return text_;
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0) return failed(path_);
    if (got == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > most_bytes) return std::unexpected(path_ + " is larger than 1 MiB");
  }
  text_ = std::move(text);
  seen_ = now;
  return text_;
}

}  // namespace entrepot::upstream
