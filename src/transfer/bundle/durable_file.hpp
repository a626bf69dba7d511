// Files that appear whole or not at all. Blocks; throws std::system_error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::transfer {

// A file on its way under a hidden name beside its place; gone without a trace unless finished.
class DurableFile {
 public:
  explicit DurableFile(std::filesystem::path path, unsigned mode = 0644);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  void append(base::ByteView bytes);
  void append(std::string_view text) { append(base::as_bytes(text)); }
  std::uint64_t size() const { return size_; }
  // Over bytes that were appended.
  void rewrite(std::uint64_t offset, std::string_view text);
  // Durable when it returns. `replace` no: false, when a file of that name is there.
  enum class Replace { no, yes };
  bool finish(Replace replace = Replace::yes);

 private:
  const std::filesystem::path path_;
  const std::filesystem::path part_;
  base::UniqueFd fd_;
  std::uint64_t size_ = 0;
};

void write_at(const base::UniqueFd& file, std::uint64_t offset, base::ByteView bytes);

// The whole of a regular file. Throws std::runtime_error with a sentence when it is none, or has
// more than `most` bytes.
std::string read_file(const std::filesystem::path& path, std::uint64_t most);

}  // namespace entrepot::transfer
