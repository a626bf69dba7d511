// Volumes that are lost or damaged, out of the parity volumes of their series. Slice by slice: of
// each slice any `volumes` good ones, parity included, give back the others, so several volumes may
// each have bad sectors. Blocks a step at a time.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "entrepot/base/unique_fd.hpp"
#include "transfer/bundle/erasure_code.hpp"
#include "transfer/bundle/volume_file.hpp"

namespace entrepot::transfer {

class VolumeRepair {
 public:
  // `parities`: of one series, at least one. Those that disagree with the first are left out.
  explicit VolumeRepair(std::vector<VolumeFile> parities);

  std::uint64_t volumes() const { return sums_.volumes.size(); }
  // A file that says it is this volume.
  void add(std::uint64_t number, const std::filesystem::path& path);
  // A file that does not say what it is: known by its slices. Whether it is one of ours.
  bool recognize(const std::filesystem::path& path);

  // Looks at one more slice of one more file; false when all have been looked at.
  bool look_on();
  // Whether all of volume `number` can be had, as it is or rebuilt. After look_on() has ended.
  bool can_rebuild(std::uint64_t number) const;
  // These volumes into these files; false when done.
  void begin(std::map<std::uint64_t, std::filesystem::path> wanted);
  bool rebuild_on();

 private:
  // Bytes of each row in memory at once.
  static constexpr std::uint64_t column = 64 << 10;

  // A volume (rows 0 to n-1) or a parity volume (from n on); of one that is not there fd is empty.
  struct Row {
    base::UniqueFd fd;
    std::uint64_t start = 0;  // of its bytes in the file
    const SlicedFile* sums = nullptr;
    std::vector<bool> good;  // slices
  };
  struct Output {
    std::size_t row = 0;
    base::UniqueFd fd;
  };
  bool is_good(std::size_t row, std::uint64_t slice) const;
  std::vector<std::size_t> good_rows(std::uint64_t slice) const;
  void read(const Row& row, std::uint64_t offset, ErasureCode::Row& into) const;
  void rebuild_column(const std::vector<std::size_t>& there, std::uint64_t offset);

  std::vector<VolumeFile> parities_;
  Parity sums_;
  std::vector<SlicedFile> own_;
  std::vector<Row> rows_;
  std::unordered_map<std::string, std::size_t> known_;  // sum of a slice: its row
  std::optional<ErasureCode> code_;
  std::size_t row_ = 0;
  std::uint64_t slice_ = 0;
  std::vector<Output> outputs_;
};

}  // namespace entrepot::transfer
