#include "transfer/bundle/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>

#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

void sync_folder(const std::filesystem::path& folder) {
  const base::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) base::throw_errno("cannot sync", folder.c_str());
}

}  // namespace

DurableFile::DurableFile(std::filesystem::path path, unsigned mode)
    : path_(std::move(path)),
      part_(path_.parent_path() / ("." + path_.filename().string() + ".part")) {
  constexpr int flags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  fd_.reset(::open(part_.c_str(), flags, mode));
  if (!fd_) base::throw_errno("cannot make", part_.c_str());
}

DurableFile::~DurableFile() {
  if (fd_) ::unlink(part_.c_str());
}

void DurableFile::append(base::ByteView bytes) {
  write_at(fd_, size_, bytes);
  size_ += bytes.size();
}

void DurableFile::rewrite(std::uint64_t offset, std::string_view text) {
  write_at(fd_, offset, base::as_bytes(text));
}

bool DurableFile::finish(Replace replace) {
  if (fdatasync(fd_.get()) != 0) base::throw_errno("cannot sync", part_.c_str());
  if (replace == Replace::yes) {
    if (::rename(part_.c_str(), path_.c_str()) != 0) base::throw_errno("cannot rename");
  } else if (::link(part_.c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST) return false;
    base::throw_errno("cannot name", path_.c_str());
  } else {
    ::unlink(part_.c_str());
  }
  sync_folder(path_.parent_path().empty() ? "." : path_.parent_path());
  fd_.reset();
  return true;
}

void write_at(const base::UniqueFd& file, std::uint64_t offset, base::ByteView bytes) {
  while (!bytes.empty()) {
    const auto written =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) base::throw_errno("cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

std::string read_file(const std::filesystem::path& path, std::uint64_t most) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) base::throw_errno("cannot open", path.c_str());
  struct stat info{};
  if (fstat(file.get(), &info) != 0) base::throw_errno("cannot look at", path.c_str());
  if (!S_ISREG(info.st_mode)) throw std::runtime_error(path.string() + " is no file");
  if (static_cast<std::uint64_t>(info.st_size) > most) {
    throw std::runtime_error(path.string() + " is too large");
  }
  return read_at(file, 0, static_cast<std::size_t>(info.st_size));
}

}  // namespace entrepot::transfer
