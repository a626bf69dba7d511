#include "auth/small_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::auth {
namespace {

std::unexpected<std::string> failed() {
  return std::unexpected(std::generic_category().message(errno));
}

}  // namespace

bool same_version(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

std::expected<SmallFile, std::string> read_small_file(const std::filesystem::path& path) {
  // Not blocking: it may be a pipe, and then it is not a file.
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  SmallFile found;
  if (!file || ::fstat(file.get(), &found.state) != 0) return failed();
  if (!S_ISREG(found.state.st_mode)) return std::unexpected("not a regular file");
  std::array<char, 16 * 1024> piece{};
  for (;;) {
    const auto got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0) return failed();
    if (got == 0) break;
    found.text.append(piece.data(), static_cast<std::size_t>(got));
    if (found.text.size() > largest_file) return std::unexpected("larger than 16 MiB");
  }
  struct stat after{};
  if (::fstat(file.get(), &after) != 0) return failed();
  if (!same_version(found.state, after) ||
      static_cast<std::size_t>(after.st_size) != found.text.size()) {
    return std::unexpected("it changed while it was read");
  }
  return found;
}

std::string required_text(const std::filesystem::path& path) {
  auto file = read_small_file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string() + ": " + file.error());
  return std::move(file->text);
}

}  // namespace entrepot::auth
