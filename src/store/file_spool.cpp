#include "store/file_spool.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <vector>

#include "entrepot/base/log.hpp"
#include "store/durable.hpp"
#include "store/layout.hpp"

namespace entrepot::store {
namespace {

constexpr std::size_t read_bytes = std::size_t{1} << 20;

std::shared_ptr<const base::UniqueFd> shared(base::UniqueFd fd) {
  return std::make_shared<const base::UniqueFd>(std::move(fd));
}

// All of it, or an exception with part of it written.
void write_at(int fd, base::ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) base::throw_errno("write spool");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

bool is_regular(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) base::throw_errno("cannot look at a spool");
  return S_ISREG(info.st_mode);
}

// A symlink, a directory, or a socket. Any other error tells of us (out of descriptors, no memory):
// what stands there may be good.
bool is_no_file(int error) {
  return error == ELOOP || error == EXDEV || error == EISDIR || error == ENXIO;
}

}  // namespace

FileSpool::FileSpool(std::shared_ptr<SpoolFolder> home, oci::Algorithm algorithm)
    : home_(std::move(home)),
      algorithm_(algorithm),
      name_(layout::anonymous_spool()),
      file_(shared(home_->folder().create_file(name_))),
      hasher_(algorithm) {}

FileSpool::FileSpool(std::shared_ptr<SpoolFolder> home, const oci::Digest& digest)
    : home_(std::move(home)),
      algorithm_(digest.algorithm()),
      target_(digest),
      name_(layout::fill_spool(digest)),
      hasher_(algorithm_) {
  home_->reserve(digest);
  try {
    open();
  } catch (...) {
    home_->release(digest);
    throw;
  }
}

FileSpool::~FileSpool() {
  try {
    if (!name_.empty() && removal_ == Removal::on_destruction) home_->folder().remove(name_);
  } catch (const std::exception& error) {
    base::log::error("cannot remove a spool", {{"error", error.what()}});
  }
  if (target_) home_->release(*target_);
}

void FileSpool::open() {
  // O_NONBLOCK: a planted FIFO must not make us wait.
  auto left = home_->folder().open_file(name_, O_RDWR | O_NONBLOCK);
  if (left && is_regular(left.get())) {
    file_ = shared(std::move(left));
    // Who gives up before all of it is hashed has learnt nothing against it.
    stage_ = Stage::resuming;
    removal_ = Removal::never;
    return;
  }
  const bool absent = !left && errno == ENOENT;
  if (!left && !absent && !is_no_file(errno)) base::throw_errno("cannot open", name_.c_str());
  if (!absent) home_->folder().remove(name_);
  file_ = shared(home_->folder().create_file(name_));
}

void FileSpool::resume(std::uint64_t most) {
  std::vector<std::byte> buffer(read_bytes);
  for (const auto end = size_ + most; resuming() && size_ < end;) {
    const auto got = pread(file_->get(), buffer.data(), buffer.size(), static_cast<off_t>(size_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) base::throw_errno("read spool");
    if (got == 0) {
      stage_ = Stage::usable;
      removal_ = Removal::on_destruction;
    }
    hasher_.update({buffer.data(), static_cast<std::size_t>(got)});
    size_ += static_cast<std::uint64_t>(got);
  }
}

void FileSpool::append(base::ByteView bytes) {
  try {
    write_at(file_->get(), bytes, size_);
  } catch (...) {
    cut_back();
    throw;
  }
  hasher_.update(bytes);
  size_ += bytes.size();
}

void FileSpool::cut_back() {
  // Cutting needs no room. Should it fail all the same, the next append writes over the rest, and
  // one that is resumed is judged by its hash.
  if (ftruncate(file_->get(), static_cast<off_t>(size_)) != 0) {
    base::log::error("cannot cut a spool back", {{"name", name_}});
  }
}

void FileSpool::restart() {
  // Readers hold the old file, so it cannot be emptied: a new one takes its name.
  const auto& folder = home_->folder();
  const auto fresh_name = layout::anonymous_spool();
  auto fresh = folder.create_file(fresh_name);
  if (target_) {
    folder.move_over(fresh_name, folder, name_);
  } else {
    folder.remove(name_);
    name_ = fresh_name;
  }
  file_ = shared(std::move(fresh));
  hasher_ = oci::Hasher(algorithm_);
  size_ = 0;
}

void FileSpool::keep() {
  if (!target_ || name_.empty()) return;
  sync_content(file_->get());
  home_->folder().sync();
  removal_ = Removal::never;
}

}  // namespace entrepot::store
