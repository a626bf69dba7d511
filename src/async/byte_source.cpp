#include "entrepot/async/byte_source.hpp"

#include <algorithm>
#include <stdexcept>

namespace entrepot::async {

namespace {

void require_inside(std::uint64_t offset, std::uint64_t size) {
  if (offset >= size) throw std::out_of_range("read past the end of a byte source");
}

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string text)
      : text_(std::make_shared<const std::string>(std::move(text))) {}

  std::uint64_t size() const override { return text_->size(); }

  Task<Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    require_inside(offset, text_->size());
    const auto rest = base::as_bytes(*text_).subspan(offset);
    co_return MemorySlice{.owner = text_, .bytes = rest.first(std::min(most, rest.size()))};
  }

 private:
  std::shared_ptr<const std::string> text_;
};

class FileSource : public ByteSource {
 public:
  FileSource(std::shared_ptr<const base::UniqueFd> file, std::uint64_t size)
      : file_(std::move(file)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  Task<Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    require_inside(offset, size_);
    const auto length = std::min(most, size_ - offset);
    co_return FileSlice{.file = file_, .offset = offset, .length = length};
  }

 private:
  std::shared_ptr<const base::UniqueFd> file_;
  std::uint64_t size_;
};

}  // namespace

std::uint64_t length_of(const Chunk& chunk) {
  if (const auto* slice = std::get_if<FileSlice>(&chunk)) return slice->length;
  return std::get<MemorySlice>(chunk).bytes.size();
}

Chunk memory_chunk(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const auto bytes = base::as_bytes(*owner);
  return MemorySlice{.owner = std::move(owner), .bytes = bytes};
}

std::unique_ptr<ByteSource> memory_source(std::string text) {
  return std::make_unique<MemorySource>(std::move(text));
}

std::unique_ptr<ByteSource> file_source(std::shared_ptr<const base::UniqueFd> file,
                                        std::uint64_t size) {
  return std::make_unique<FileSource>(std::move(file), size);
}

}  // namespace entrepot::async
