// The BlobStore in memory (files without a name), for tests of everything above it: opens at once,
// forgets nothing it is told to keep, and refuses like a full disk when told to.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include "entrepot/store/blob_store.hpp"

namespace entrepot::test {

// Thread-safe, like any BlobStore.
class MemoryStore : public store::BlobStore {
 public:
  using File = std::shared_ptr<const base::UniqueFd>;

  // From now on appending fails (ENOSPC) once that many bytes have been taken.
  void full_after(std::uint64_t bytes) { state_->room = static_cast<std::int64_t>(bytes); }
  // What the disk says of itself from now on.
  void free_from_now(std::uint64_t bytes) { state_->free = bytes; }
  void refuse_begin(bool refused) { state_->refuse_begin = refused; }
  void refuse_commit(bool refused) { state_->refuse_commit = refused; }

  // What a kill -9 in the middle of a fill leaves behind.
  void leave_partial(const oci::Digest& digest, std::string_view bytes) {
    auto file = new_file();
    write_at(*file, base::as_bytes(bytes), 0);
    const std::lock_guard lock(state_->mutex);
    state_->partials.insert_or_assign(digest, Kept{std::move(file), bytes.size()});
  }
  // What a kill -9 between a blob's rename and its record leaves behind.
  void put(const oci::Digest& digest, std::string_view bytes, base::WallTime written = {}) {
    auto file = new_file();
    write_at(*file, base::as_bytes(bytes), 0);
    const std::lock_guard lock(state_->mutex);
    state_->blobs.insert_or_assign(digest, Kept{std::move(file), bytes.size(), written});
  }
  // What files say about when they were written, from now on.
  void now(base::WallTime time) {
    const std::lock_guard lock(state_->mutex);
    state_->time = time;
  }
  bool in_trash(const oci::Digest& digest) const {
    const std::lock_guard lock(state_->mutex);
    return state_->trash.contains(digest);
  }
  std::optional<std::uint64_t> partial(const oci::Digest& digest) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->partials.find(digest);
    if (found == state_->partials.end()) return std::nullopt;
    return found->second.size;
  }
  std::size_t partials() const {
    const std::lock_guard lock(state_->mutex);
    return state_->partials.size();
  }

  std::optional<store::BlobInfo> find(const oci::Digest& digest) const override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->blobs.find(digest);
    if (found == state_->blobs.end()) return std::nullopt;
    return store::BlobInfo{found->second.size};
  }

  std::unique_ptr<async::ByteSource> open(const oci::Digest& digest,
                                          std::uint64_t expected_size) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->blobs.find(digest);
    if (found == state_->blobs.end()) return nullptr;
    if (found->second.size == expected_size) {
      return async::file_source(found->second.file, expected_size);
    }
    state_->blobs.erase(found);
    return nullptr;
  }

  std::unique_ptr<store::Spool> begin(oci::Algorithm algorithm) override {
    return std::make_unique<MemorySpool>(state_, algorithm, std::nullopt);
  }

  async::Task<std::unique_ptr<store::Spool>> begin_or_resume(const oci::Digest& digest) override {
    if (state_->refuse_begin) no_space();
    co_return std::make_unique<MemorySpool>(state_, digest.algorithm(), digest);
  }

  async::Task<store::BlobInfo> commit(std::unique_ptr<store::Spool> spool,
                                      const oci::Digest& digest) override {
    if (spool->digest() != digest) throw store::CommitRefused("another digest");
    if (state_->refuse_commit) no_space();
    const auto upload = dynamic_cast<MemorySpool&>(*spool).upload();
    const std::lock_guard lock(state_->mutex);
    state_->blobs.insert_or_assign(digest, Kept{spool->file(), spool->size(), state_->time});
    if (upload) state_->uploads.erase(*upload);
    co_return store::BlobInfo{spool->size()};
  }

  std::unique_ptr<store::Spool> begin_upload(const std::string& id, oci::Algorithm algorithm,
                                             std::string_view notes) override {
    if (state_->refuse_begin) no_space();
    auto spool = std::make_unique<MemorySpool>(state_, algorithm, std::nullopt);
    spool->name_upload(id);
    const std::lock_guard lock(state_->mutex);
    state_->uploads.insert_or_assign(
        id, Upload{{.file = spool->file(), .written = state_->time}, std::string(notes)});
    return spool;
  }
  async::Task<std::unique_ptr<store::Spool>> resume_upload(std::string id,
                                                           oci::Algorithm algorithm) override {
    auto spool = std::make_unique<MemorySpool>(state_, algorithm, std::nullopt);
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->uploads.find(id);
    if (found == state_->uploads.end()) co_return nullptr;
    spool->name_upload(id);
    spool->take_over(found->second.kept);
    co_return spool;
  }
  void uploads(const std::function<void(const UploadFile&)>& visit) const override {
    std::vector<UploadFile> found;
    {
      const std::lock_guard lock(state_->mutex);
      for (const auto& [id, upload] : state_->uploads) {
        found.push_back({id, upload.notes, upload.kept.size, upload.kept.written});
      }
    }
    for (const auto& file : found) visit(file);
  }
  void discard_upload(const std::string& id) override {
    const std::lock_guard lock(state_->mutex);
    state_->uploads.erase(id);
  }

  // Always by copying.
  async::Task<store::BlobInfo> bring(const base::UniqueFd& file, const oci::Digest& digest,
                                     Bring /*how*/) override {
    auto spool = begin(digest.algorithm());
    std::string piece(1 << 16, '\0');
    for (;;) {
      const auto at = static_cast<off_t>(spool->size());
      const auto got = ::pread(file.get(), piece.data(), piece.size(), at);
      if (got <= 0) break;
      spool->append(base::as_bytes(std::string_view(piece).substr(0, static_cast<size_t>(got))));
    }
    co_return co_await commit(std::move(spool), digest);
  }

  void remove(const oci::Digest& digest) override {
    const std::lock_guard lock(state_->mutex);
    state_->blobs.erase(digest);
  }

  void trash(const oci::Digest& digest) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->blobs.find(digest);
    if (found == state_->blobs.end()) return;
    state_->trash.insert_or_assign(digest,
                                   Kept{found->second.file, found->second.size, state_->time});
    state_->blobs.erase(found);
  }
  std::uint64_t empty_trash(base::WallTime before) override {
    const std::lock_guard lock(state_->mutex);
    std::uint64_t bytes = 0;
    std::erase_if(state_->trash, [&](const auto& row) {
      if (row.second.written >= before) return false;
      bytes += row.second.size;
      return true;
    });
    return bytes;
  }
  std::optional<base::WallTime> written(const oci::Digest& digest) const override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->blobs.find(digest);
    if (found == state_->blobs.end()) return std::nullopt;
    return found->second.written;
  }

  std::vector<oci::Digest> list(const std::optional<oci::Digest>& after,
                                std::size_t limit) const override {
    const std::lock_guard lock(state_->mutex);
    std::vector<oci::Digest> found;
    for (const auto& [digest, kept] : state_->blobs) {
      if (found.size() < limit && (!after || *after < digest)) found.push_back(digest);
    }
    return found;
  }

  std::uint64_t free_bytes() const override { return state_->free; }

 private:
  struct Kept {
    File file;
    std::uint64_t size = 0;
    base::WallTime written{};
  };
  struct Upload {
    Kept kept;
    std::string notes;
  };
  struct State {
    std::mutex mutex;  // guards the maps and time
    std::map<oci::Digest, Kept> blobs;
    std::map<oci::Digest, Kept> partials;
    std::map<oci::Digest, Kept> trash;
    std::map<std::string, Upload> uploads;
    base::WallTime time{};
    std::atomic<std::int64_t> room = std::numeric_limits<std::int64_t>::max();
    std::atomic<std::uint64_t> free = std::numeric_limits<std::uint64_t>::max();
    std::atomic<bool> refuse_begin = false;
    std::atomic<bool> refuse_commit = false;
  };

  [[noreturn]] static void no_space() {
    throw std::system_error(ENOSPC, std::generic_category(), "no room");
  }
  static File new_file() {
    return std::make_shared<const base::UniqueFd>(::memfd_create("spool", MFD_CLOEXEC));
  }
  static void write_at(const base::UniqueFd& file, base::ByteView bytes, std::uint64_t offset) {
    const auto written =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written != static_cast<ssize_t>(bytes.size())) no_space();
  }

  class MemorySpool final : public store::Spool {
   public:
    MemorySpool(std::shared_ptr<State> state, oci::Algorithm algorithm,
                std::optional<oci::Digest> target)
        : state_(std::move(state)),
          algorithm_(algorithm),
          target_(target),
          file_(new_file()),
          hasher_(algorithm) {
      if (!target_) return;
      const std::lock_guard lock(state_->mutex);
      const auto found = state_->partials.find(*target_);
      if (found == state_->partials.end()) return;
      take_over(found->second);
      state_->partials.erase(found);
    }

    void take_over(const Kept& kept) {
      file_ = kept.file;
      size_ = kept.size;
      std::string bytes(size_, '\0');
      if (::pread(file_->get(), bytes.data(), bytes.size(), 0) < 0) no_space();
      hasher_.update(base::as_bytes(bytes));
    }
    void name_upload(std::string id) { upload_ = std::move(id); }
    const std::optional<std::string>& upload() const { return upload_; }

    void append(base::ByteView bytes) override {
      if ((state_->room -= static_cast<std::int64_t>(bytes.size())) < 0) no_space();
      write_at(*file_, bytes, size_);
      hasher_.update(bytes);
      size_ += bytes.size();
      if (!upload_) return;
      const std::lock_guard lock(state_->mutex);
      const auto found = state_->uploads.find(*upload_);
      if (found == state_->uploads.end()) return;
      found->second.kept.size = size_;
      found->second.kept.written = state_->time;
    }
    std::uint64_t size() const override { return size_; }
    oci::Digest digest() const override { return hasher_.current(); }
    oci::Hasher hasher() const override { return hasher_.fork(); }
    File file() const override { return file_; }
    void restart() override {
      file_ = new_file();
      hasher_ = oci::Hasher(algorithm_);
      size_ = 0;
    }
    void keep() override {
      if (!target_) return;
      const std::lock_guard lock(state_->mutex);
      state_->partials.insert_or_assign(*target_, Kept{file_, size_});
    }

   private:
    const std::shared_ptr<State> state_;
    const oci::Algorithm algorithm_;
    const std::optional<oci::Digest> target_;
    std::optional<std::string> upload_;
    File file_;
    oci::Hasher hasher_;
    std::uint64_t size_ = 0;
  };

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace entrepot::test
