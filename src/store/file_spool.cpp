#include "store/file_spool.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <vector>

#include "entrepot/base/log.hpp"
#include "store/durable.hpp"
#include "store/layout.hpp"
#include "store/write_at.hpp"

namespace entrepot::store {
namespace {

constexpr std::size_t read_bytes = std::size_t{1} << 20;
// Of a large upload the disk has most already when commit asks for all of it.
constexpr std::uint64_t write_back_step = std::uint64_t{8} << 20;
constexpr std::uint64_t drop_window = 4 * write_back_step;

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

std::unique_ptr<FileSpool> FileSpool::anonymous(std::shared_ptr<SpoolFolder> home,
                                                oci::Algorithm algorithm) {
  std::unique_ptr<FileSpool> spool(
      new FileSpool(std::move(home), Kind::anonymous, algorithm, layout::anonymous_spool()));
  spool->create();
  return spool;
}

std::unique_ptr<FileSpool> FileSpool::fill(std::shared_ptr<SpoolFolder> home,
                                           const oci::Digest& digest) {
  std::unique_ptr<FileSpool> spool(
      new FileSpool(std::move(home), Kind::fill, digest.algorithm(), layout::fill_spool(digest)));
  if (spool->open_left() == Found::no) spool->create();
  return spool;
}

std::unique_ptr<FileSpool> FileSpool::new_upload(std::shared_ptr<SpoolFolder> home,
                                                 const std::string& id, oci::Algorithm algorithm) {
  std::unique_ptr<FileSpool> spool(
      new FileSpool(std::move(home), Kind::upload, algorithm, layout::upload_spool(id)));
  spool->create();
  return spool;
}

std::unique_ptr<FileSpool> FileSpool::old_upload(std::shared_ptr<SpoolFolder> home,
                                                 const std::string& id, oci::Algorithm algorithm) {
  std::unique_ptr<FileSpool> spool(
      new FileSpool(std::move(home), Kind::upload, algorithm, layout::upload_spool(id)));
  if (spool->open_left() == Found::no) return nullptr;
  return spool;
}

// Until it has its file there is nothing of ours to remove.
FileSpool::FileSpool(std::shared_ptr<SpoolFolder> home, Kind kind, oci::Algorithm algorithm,
                     std::string name)
    : home_(std::move(home)),
      kind_(kind),
      algorithm_(algorithm),
      name_(std::move(name)),
      hasher_(algorithm),
      removal_(Removal::never) {
  home_->reserve(name_);
}

FileSpool::~FileSpool() {
  try {
    if (removal_ == Removal::on_destruction) home_->folder().remove(name_);
  } catch (const std::exception& error) {
    base::log::error("cannot remove a spool", {{"error", error.what()}});
  }
  home_->release(name_);
}

FileSpool::Found FileSpool::open_left() {
  // O_NONBLOCK: a planted FIFO must not make us wait.
  auto left = home_->folder().open_file(name_, O_RDWR | O_NONBLOCK);
  if (left && is_regular(left.get())) {
    file_ = home_->closer().share(std::move(left));
    // Who gives up before all of it is hashed has learnt nothing against it.
    stage_ = Stage::resuming;
    return Found::yes;
  }
  const bool absent = !left && errno == ENOENT;
  if (!left && !absent && !is_no_file(errno)) base::throw_errno("cannot open", name_.c_str());
  if (!absent) home_->folder().remove(name_);
  return Found::no;
}

void FileSpool::create() {
  file_ = home_->closer().share(home_->folder().create_file(name_));
  if (kind_ != Kind::upload) removal_ = Removal::on_destruction;
}

void FileSpool::resume(std::uint64_t most) {
  std::vector<std::byte> buffer(read_bytes);
  for (const auto end = size_ + most; resuming() && size_ < end;) {
    const auto got = pread(file_->get(), buffer.data(), buffer.size(), static_cast<off_t>(size_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) base::throw_errno("read spool");
    if (got == 0) {
      stage_ = Stage::usable;
      written_back_ = size_;
      if (kind_ != Kind::upload) removal_ = Removal::on_destruction;
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
  // Uploads are appended to on the pool, fills on a serving thread, which must not wait here.
  if (kind_ == Kind::upload && size_ - written_back_ >= write_back_step) begin_write_back();
}

// Hints: what they do not do, commit does. Nothing here waits for the disk: a wait would be told of
// a failed write, and the flush of commit would not hear of it any more (reliability.md rule 13).
void FileSpool::begin_write_back() {
  const auto from = static_cast<off64_t>(written_back_);
  const auto length = static_cast<off64_t>(size_ - written_back_);
  sync_file_range(file_->get(), from, length, SYNC_FILE_RANGE_WRITE);
  drop_behind();
  written_back_ = size_;
}

// Gigabytes that are pushed must not take the place of what everybody pulls. Memory that is used
// again at once is also much cheaper than memory the kernel has to find. The kernel keeps what is
// not on the disk yet, so each step is offered a few times.
void FileSpool::drop_behind() {
  const auto from = written_back_ - std::min(written_back_, drop_window);
  posix_fadvise(file_->get(), static_cast<off64_t>(from),
                static_cast<off64_t>(written_back_ - from), POSIX_FADV_DONTNEED);
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
  folder.move_over(fresh_name, folder, name_);
  file_ = home_->closer().share(std::move(fresh));
  hasher_ = oci::Hasher(algorithm_);
  size_ = 0;
  written_back_ = 0;
}

void FileSpool::keep() {
  if (kind_ == Kind::anonymous) return;
  sync_content(file_->get());
  home_->folder().sync();
  removal_ = Removal::never;
}

}  // namespace entrepot::store
