// The Spool of the filesystem store: a file in <data>/spool.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "entrepot/store/spool.hpp"
#include "store/spool_folder.hpp"

namespace entrepot::store {

class FileSpool final : public Spool {
 public:
  // anonymous and fill go with their Spool, unless kept; an upload stays until it is discarded.
  enum class Kind { anonymous, fill, upload };

  // A new file of a random name.
  static std::unique_ptr<FileSpool> anonymous(std::shared_ptr<SpoolFolder> home,
                                              oci::Algorithm algorithm);
  // Named after `digest`: new, or with the bytes an earlier one left, which resume() has to hash
  // first. Only one may be open at a time (else EBUSY).
  static std::unique_ptr<FileSpool> fill(std::shared_ptr<SpoolFolder> home,
                                         const oci::Digest& digest);
  // Of an upload session; only one may be open at a time (else EBUSY).
  static std::unique_ptr<FileSpool> new_upload(std::shared_ptr<SpoolFolder> home,
                                               const std::string& id, oci::Algorithm algorithm);
  // With the bytes there are, which resume() has to hash first; null when there is no such file.
  static std::unique_ptr<FileSpool> old_upload(std::shared_ptr<SpoolFolder> home,
                                               const std::string& id, oci::Algorithm algorithm);
  ~FileSpool() override;
  FileSpool(const FileSpool&) = delete;
  FileSpool& operator=(const FileSpool&) = delete;

  void append(base::ByteView bytes) override;
  std::uint64_t size() const override { return size_; }
  oci::Digest digest() const override { return hasher_.current(); }
  oci::Hasher hasher() const override { return hasher_.fork(); }
  std::shared_ptr<const base::UniqueFd> file() const override { return file_; }
  void restart() override;
  void keep() override;

  // There are bytes of an earlier one left to hash. Until there are none, the Spool may only be
  // resumed or destroyed, which then leaves the file.
  bool resuming() const { return stage_ == Stage::resuming; }
  // Hashes about `most` bytes more (blocks: 0.7 s per GB, more from a cold disk).
  void resume(std::uint64_t most);

  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  // commit() has moved the file away: there is nothing left to remove.
  void moved_away() { removal_ = Removal::never; }

 private:
  enum class Removal { on_destruction, never };
  enum class Stage { resuming, usable };

  FileSpool(std::shared_ptr<SpoolFolder> home, Kind kind, oci::Algorithm algorithm,
            std::string name);
  enum class Found { yes, no };
  Found open_left();
  void create();
  void cut_back();
  void begin_write_back();
  void drop_behind();

  const std::shared_ptr<SpoolFolder> home_;
  const Kind kind_;
  const oci::Algorithm algorithm_;
  std::string name_;
  std::shared_ptr<const base::UniqueFd> file_;
  oci::Hasher hasher_;
  std::uint64_t size_ = 0;
  std::uint64_t written_back_ = 0;  // on its way to the disk, of an upload
  Removal removal_;
  Stage stage_ = Stage::usable;
};

}  // namespace entrepot::store
