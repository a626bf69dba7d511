#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "entrepot/base/unique_fd.hpp"
#include "entrepot/store/blob_store.hpp"
#include "store/layout.hpp"

namespace entrepot::store {
namespace {

std::string holder_of(int fd) {
  std::array<char, 32> text;
  const auto got = pread(fd, text.data(), text.size(), 0);
  std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

void make_data_directory(const std::filesystem::path& data) {
  if (data.has_parent_path()) std::filesystem::create_directories(data.parent_path());
  if (mkdir(data.c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("cannot make data directory", data.c_str());
  }
}

}  // namespace

DirectoryLock::DirectoryLock(const std::filesystem::path& data) {
  make_data_directory(data);
  const auto path = data / layout::lock;
  fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) base::throw_errno("cannot open", path.c_str());
  // flock() and not fcntl(): it belongs to this descriptor, so no other part of the process can
  // lose it by closing the file.
  if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) base::throw_errno("cannot lock", path.c_str());
    throw DirectoryInUse("data directory " + data.string() + " is held by " + holder_of(fd_.get()));
  }
  // Only for people: the lock holds without it, on a full disk too.
  const auto pid = std::to_string(getpid()) + '\n';
  if (ftruncate(fd_.get(), 0) == 0) {
    [[maybe_unused]] const auto written = pwrite(fd_.get(), pid.data(), pid.size(), 0);
  }
}

DirectoryLock::~DirectoryLock() = default;

}  // namespace entrepot::store
