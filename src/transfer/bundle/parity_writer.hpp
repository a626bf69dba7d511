// The parity volumes of a series, made from its finished volumes a slice at a time. Blocks.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "entrepot/base/unique_fd.hpp"
#include "transfer/bundle/erasure_code.hpp"
#include "transfer/bundle/volume_writer.hpp"

namespace entrepot::transfer {

class ParityWriter {
 public:
  // `head`: of the first parity volume, without members and parity; `files`: where they go.
  ParityWriter(const std::vector<std::filesystem::path>& volumes, VolumeHead head,
               const std::vector<std::filesystem::path>& files, const SiteKey& key);

  std::uint64_t slices() const { return slices_of(largest_); }
  void write_slice(std::uint64_t number);
  // Of all its files.
  std::uint64_t size() const;
  // Durable when it returns.
  void finish();

 private:
  // Columns of a slice: what is in memory of each volume.
  static constexpr std::uint64_t column = 64 << 10;

  struct Volume {
    base::UniqueFd fd;
    SlicedFile sliced;
  };
  void write_column(std::uint64_t offset);
  void close_slice(std::uint64_t number);

  std::vector<Volume> volumes_;
  std::uint64_t largest_ = 0;
  const ErasureCode code_;
  std::vector<std::unique_ptr<VolumeWriter>> writers_;
  std::vector<SlicedFile> own_;
  std::vector<ErasureCode::Row> data_;
  std::vector<ErasureCode::Row> parity_;
  std::vector<oci::Hasher> data_sums_;
  std::vector<oci::Hasher> parity_sums_;
};

}  // namespace entrepot::transfer
