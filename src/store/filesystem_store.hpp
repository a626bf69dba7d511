// The BlobStore on a file system. Names: layout.hpp. Its verbs lie in filesystem_store.cpp
// (looking and opening), placement.cpp (commit, bring), upload_files.cpp and trash.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/limiter.hpp"
#include "entrepot/store/blob_store.hpp"
#include "store/closer.hpp"
#include "store/file_spool.hpp"
#include "store/folder.hpp"
#include "store/spool_folder.hpp"

namespace entrepot::store {

class FilesystemStore final : public BlobStore {
 public:
  FilesystemStore(const std::filesystem::path& data, async::BlockingPool& pool);
  ~FilesystemStore() override;

  std::optional<BlobInfo> find(const oci::Digest& digest) const override;
  std::unique_ptr<async::ByteSource> open(const oci::Digest& digest,
                                          std::uint64_t expected_size) override;

  std::unique_ptr<Spool> begin(oci::Algorithm algorithm) override;
  async::Task<std::unique_ptr<Spool>> begin_or_resume(const oci::Digest& digest) override;
  std::unique_ptr<Spool> begin_upload(const std::string& id, oci::Algorithm algorithm,
                                      std::string_view notes) override;
  async::Task<std::unique_ptr<Spool>> resume_upload(std::string id,
                                                    oci::Algorithm algorithm) override;
  void uploads(const std::function<void(const UploadFile&)>& visit) const override;
  void discard_upload(const std::string& id) override;

  async::Task<BlobInfo> commit(std::unique_ptr<Spool> spool, const oci::Digest& digest) override;
  async::Task<BlobInfo> bring(const base::UniqueFd& file, const oci::Digest& digest,
                              Bring how) override;

  void remove(const oci::Digest& digest) override;
  void trash(const oci::Digest& digest) override;
  std::uint64_t empty_trash(base::WallTime before) override;
  std::optional<base::WallTime> written(const oci::Digest& digest) const override;
  std::vector<oci::Digest> list(const std::optional<oci::Digest>& after,
                                std::size_t limit) const override;
  std::uint64_t free_bytes() const override;

 private:
  // Hashes what an earlier Spool left, in slices.
  async::Task<> hash_left(FileSpool& spool);
  void place(FileSpool& spool, const oci::Digest& digest);
  // A synced file of the spool folder becomes the blob; its name is gone then.
  void settle(const std::string& spool_name, std::uint64_t size, const oci::Digest& digest);
  // Absent when the file system will have no second name for it.
  std::optional<BlobInfo> place_link(const base::UniqueFd& file, const oci::Digest& digest);

  enum class SetAside { yes, no };
  // Moves what is no blob of this size to quarantine. REQUIRES: names_ is held.
  SetAside set_aside_unless(const oci::Digest& digest, std::uint64_t expected_size);
  std::optional<Folder> find_shard(const oci::Digest& digest) const;
  Folder ensure_shard(const oci::Digest& digest) const;

  async::BlockingPool& pool_;
  const std::shared_ptr<Closer> closer_;
  Folder data_;
  Folder blobs_;
  Folder quarantine_;
  Folder trash_;
  std::shared_ptr<SpoolFolder> spools_;
  async::Limiter resumes_;
  // Between judging a file by its size and moving it away nobody puts a good one in its place.
  std::mutex names_;
};

}  // namespace entrepot::store
