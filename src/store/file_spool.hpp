// The Spool of the filesystem store: a file in <data>/spool.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "entrepot/store/spool.hpp"
#include "store/spool_folder.hpp"

namespace entrepot::store {

class FileSpool final : public Spool {
 public:
  // Anonymous: a new file of a random name.
  FileSpool(std::shared_ptr<SpoolFolder> home, oci::Algorithm algorithm);
  // Named after `digest`: new, or with the bytes an earlier one left, which resume() has to hash
  // first. REQUIRES: no other one is open for it (else EBUSY).
  FileSpool(std::shared_ptr<SpoolFolder> home, const oci::Digest& digest);
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

  const std::string& name() const { return name_; }
  // commit() has moved the file away: there is nothing left to remove.
  void moved_away() { name_.clear(); }

 private:
  enum class Removal { on_destruction, never };
  enum class Stage { resuming, usable };

  void open();
  void cut_back();

  std::shared_ptr<SpoolFolder> home_;
  oci::Algorithm algorithm_;
  std::optional<oci::Digest> target_;  // what a named one is named after
  std::string name_;
  std::shared_ptr<const base::UniqueFd> file_;
  oci::Hasher hasher_;
  std::uint64_t size_ = 0;
  Removal removal_ = Removal::on_destruction;
  Stage stage_ = Stage::usable;
};

}  // namespace entrepot::store
