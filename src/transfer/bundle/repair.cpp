#include "transfer/bundle/repair.hpp"

#include <fcntl.h>

#include <algorithm>

#include "entrepot/base/bytes.hpp"
#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/tar_form.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

std::string sum_of(std::string_view bytes) {
  const auto digest = oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(bytes));
  return std::string(base::as_text(digest.raw()));
}

std::string_view sum_at(const SlicedFile& file, std::uint64_t slice) {
  return std::string_view(file.sums).substr(slice * sum_size, sum_size);
}

std::string read_slice(const base::UniqueFd& fd, std::uint64_t start, std::uint64_t slice,
                       std::uint64_t size) {
  const auto offset = slice * slice_size;
  return read_at(fd, start + offset, std::min(slice_size, size - offset));
}

base::UniqueFd open_regular(const std::filesystem::path& path) {
  return base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

// Where the bytes of a parity volume's one member begin.
std::uint64_t payload_of(const VolumeFile& file) { return file.body_offset() + tar_block; }

}  // namespace

VolumeRepair::VolumeRepair(std::vector<VolumeFile> parities) : parities_(std::move(parities)) {
  const auto& first = parities_.front().head();
  sums_ = *first.parity;
  code_.emplace(first.volumes, first.parities);
  own_.resize(first.parities);
  rows_.resize(first.volumes + first.parities);
  for (std::size_t i = 0; i < first.volumes; ++i) {
    rows_[i].sums = &sums_.volumes[i];
    for (std::uint64_t slice = 0; slice < slices_of(sums_.volumes[i].size); ++slice) {
      known_.emplace(sum_at(sums_.volumes[i], slice), i);
    }
  }
  for (const auto& file : parities_) {
    const auto& head = file.head();
    if (head.parity->volumes != sums_.volumes || head.parities != first.parities) continue;
    own_[head.number - 1] = head.parity->own;
    auto& row = rows_[first.volumes + head.number - 1];
    row.fd = open_regular(file.path());
    row.start = payload_of(file);
    row.sums = &own_[head.number - 1];
  }
  for (auto& row : rows_) {
    if (row.sums != nullptr) row.good.resize(slices_of(row.sums->size));
  }
}

void VolumeRepair::add(std::uint64_t number, const std::filesystem::path& path) {
  if (number == 0 || number > volumes() || rows_[number - 1].fd) return;
  rows_[number - 1].fd = open_regular(path);
}

// Its head is damaged, or the file begins late or early: any slice where it should be will do.
bool VolumeRepair::recognize(const std::filesystem::path& path) {
  const auto fd = open_regular(path);
  if (!fd) return false;
  for (std::uint64_t slice = 0;; ++slice) {
    const auto bytes = read_at(fd, slice * slice_size, slice_size);
    if (bytes.empty()) return false;
    const auto found = known_.find(sum_of(bytes));
    if (found != known_.end()) {
      add(found->second + 1, path);
      return true;
    }
  }
}

bool VolumeRepair::look_on() {
  while (row_ < rows_.size() && (!rows_[row_].fd || slice_ >= rows_[row_].good.size())) {
    ++row_;
    slice_ = 0;
  }
  if (row_ == rows_.size()) {
    slice_ = 0;
    return false;
  }
  auto& row = rows_[row_];
  const auto bytes = read_slice(row.fd, row.start, slice_, row.sums->size);
  row.good[slice_] = sum_of(bytes) == sum_at(*row.sums, slice_);
  ++slice_;
  return true;
}

// Behind the end of a volume there are zeros, whether it is there or not.
bool VolumeRepair::is_good(std::size_t row, std::uint64_t slice) const {
  const auto& of = rows_[row];
  if (of.sums == nullptr) return false;
  return slice >= of.good.size() ? row < volumes() : of.good[slice];
}

std::vector<std::size_t> VolumeRepair::good_rows(std::uint64_t slice) const {
  std::vector<std::size_t> there;
  for (std::size_t row = 0; row < rows_.size() && there.size() < volumes(); ++row) {
    if (is_good(row, slice)) there.push_back(row);
  }
  return there;
}

bool VolumeRepair::can_rebuild(std::uint64_t number) const {
  const auto row = number - 1;
  for (std::uint64_t slice = 0; slice < rows_[row].good.size(); ++slice) {
    if (!is_good(row, slice) && good_rows(slice).size() < volumes()) return false;
  }
  return true;
}

void VolumeRepair::begin(std::map<std::uint64_t, std::filesystem::path> wanted) {
  outputs_.clear();
  slice_ = 0;
  for (const auto& [number, path] : wanted) {
    base::UniqueFd fd(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) base::throw_errno("cannot make", path.c_str());
    outputs_.push_back({.row = number - 1, .fd = std::move(fd)});
  }
}

bool VolumeRepair::rebuild_on() {
  const auto begin = slice_ * slice_size;
  if (begin >= sums_.own.size) {
    outputs_.clear();
    return false;
  }
  const auto there = good_rows(slice_);
  const auto end = std::min(begin + slice_size, sums_.own.size);
  for (auto offset = begin; offset < end; offset += column) rebuild_column(there, offset);
  ++slice_;
  return true;
}

void VolumeRepair::read(const Row& row, std::uint64_t offset, ErasureCode::Row& into) const {
  std::ranges::fill(into, 0);
  if (!row.fd || offset >= row.sums->size) return;
  const auto most = std::min(column, row.sums->size - offset);
  std::ranges::copy(read_at(row.fd, row.start + offset, most), into.begin());
}

// REQUIRES: can_rebuild() of all outputs, so enough rows are there wherever one is missing.
void VolumeRepair::rebuild_column(const std::vector<std::size_t>& there, std::uint64_t offset) {
  std::vector<std::size_t> wanted;
  wanted.reserve(outputs_.size());
  for (const auto& output : outputs_) wanted.push_back(output.row);
  std::vector<ErasureCode::Row> found(wanted.size(), ErasureCode::Row(column));
  if (there.size() == volumes()) {
    std::vector<ErasureCode::Row> rows(there.size(), ErasureCode::Row(column));
    for (std::size_t i = 0; i < there.size(); ++i) read(rows_[there[i]], offset, rows[i]);
    code_->decode(there, rows, wanted, found);
  } else {
    for (std::size_t i = 0; i < wanted.size(); ++i) read(rows_[wanted[i]], offset, found[i]);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto size = rows_[outputs_[i].row].sums->size;
    if (offset >= size) continue;
    const auto count = static_cast<std::size_t>(std::min(column, size - offset));
    write_at(outputs_[i].fd, offset, std::as_bytes(std::span(found[i]).first(count)));
  }
}

}  // namespace entrepot::transfer
