#include "transfer/bundle/parity_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "entrepot/base/bytes.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

std::uint64_t size_of(const base::UniqueFd& fd) {
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) base::throw_errno("cannot look at a volume");
  return static_cast<std::uint64_t>(info.st_size);
}

base::UniqueFd open_file(const std::filesystem::path& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) base::throw_errno("cannot open", path.c_str());
  return fd;
}

// How much of [offset, offset + column) a file of this size has.
std::size_t part_in(std::uint64_t size, std::uint64_t offset, std::uint64_t most) {
  return offset >= size ? 0 : static_cast<std::size_t>(std::min(most, size - offset));
}

base::ByteView first_of(const ErasureCode::Row& row, std::size_t count) {
  return std::as_bytes(std::span(row).first(count));
}

std::vector<oci::Hasher> fresh_hashers(std::size_t count) {
  std::vector<oci::Hasher> hashers;
  hashers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) hashers.emplace_back(oci::Algorithm::sha256);
  return hashers;
}

void close_sums(std::vector<oci::Hasher>& hashers, std::vector<SlicedFile*> files,
                std::uint64_t offset) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (offset >= files[i]->size) continue;
    files[i]->sums += base::as_text(hashers[i].current().raw());
    hashers[i] = oci::Hasher(oci::Algorithm::sha256);
  }
}

// Sums as long as they will be.
SlicedFile unsummed(std::uint64_t size) {
  return {.size = size, .sums = std::string(slices_of(size) * sum_size, '\0')};
}

}  // namespace

ParityWriter::ParityWriter(const std::vector<std::filesystem::path>& volumes, VolumeHead head,
                           const std::vector<std::filesystem::path>& files, const SiteKey& key)
    : code_(volumes.size(), files.size()),
      data_(volumes.size(), ErasureCode::Row(column)),
      parity_(files.size(), ErasureCode::Row(column)),
      data_sums_(fresh_hashers(volumes.size())),
      parity_sums_(fresh_hashers(files.size())) {
  head.parity.emplace();
  for (const auto& path : volumes) {
    auto fd = open_file(path);
    const auto size = size_of(fd);
    largest_ = std::max(largest_, size);
    head.parity->volumes.push_back(unsummed(size));
    volumes_.push_back({.fd = std::move(fd), .sliced = {.size = size, .sums = {}}});
  }
  head.parity->own = unsummed(largest_);
  head.members = {{.kind = MemberKind::parity, .size = largest_}};
  for (const auto& path : files) {
    writers_.push_back(std::make_unique<VolumeWriter>(path, head, key));
    writers_.back()->begin(0);
    own_.push_back({.size = largest_, .sums = {}});
    ++head.number;
  }
}

void ParityWriter::write_slice(std::uint64_t number) {
  const auto begin = number * slice_size;
  const auto end = std::min(begin + slice_size, largest_);
  for (auto offset = begin; offset < end; offset += column) write_column(offset);
  close_slice(number);
}

void ParityWriter::write_column(std::uint64_t offset) {
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    const auto there = part_in(volumes_[i].sliced.size, offset, column);
    const auto bytes = read_at(volumes_[i].fd, offset, there);
    std::ranges::fill(data_[i], 0);
    std::ranges::copy(bytes, data_[i].begin());
    data_sums_[i].update(first_of(data_[i], there));
  }
  code_.encode(data_, parity_);
  const auto there = part_in(largest_, offset, column);
  for (std::size_t i = 0; i < writers_.size(); ++i) {
    writers_[i]->append(first_of(parity_[i], there));
    parity_sums_[i].update(first_of(parity_[i], there));
  }
}

void ParityWriter::close_slice(std::uint64_t number) {
  const auto offset = number * slice_size;
  std::vector<SlicedFile*> data;
  data.reserve(volumes_.size());
  for (auto& volume : volumes_) data.push_back(&volume.sliced);
  close_sums(data_sums_, std::move(data), offset);
  std::vector<SlicedFile*> own;
  own.reserve(own_.size());
  for (auto& file : own_) own.push_back(&file);
  close_sums(parity_sums_, std::move(own), offset);
}

std::uint64_t ParityWriter::size() const {
  std::uint64_t size = 0;
  for (const auto& writer : writers_) size += writer->size();
  return size;
}

void ParityWriter::finish() {
  for (std::size_t i = 0; i < writers_.size(); ++i) {
    writers_[i]->end();
    auto& parity = *writers_[i]->head().parity;
    for (std::size_t v = 0; v < volumes_.size(); ++v) parity.volumes[v] = volumes_[v].sliced;
    parity.own = own_[i];
    writers_[i]->finish();
  }
}

}  // namespace entrepot::transfer
