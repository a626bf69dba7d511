// A directory somebody else made, held open. Everything in it is reached name by name from its
// descriptor and no symlink is followed, so nothing in it leads out of it; nothing but regular
// files is opened, so nothing in it makes us wait (reliability.md R-10). Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::transfer {

class ForeignFolder {
 public:
  // The way to it is the operator's word and taken as it is. Throws std::system_error.
  explicit ForeignFolder(const std::filesystem::path& path);

  // `path` is relative, of names joined by '/'. Absent when something on the way is missing, is a
  // symlink, or is of another kind; throws std::system_error when it cannot be read.
  std::optional<ForeignFolder> inside(std::string_view path) const;
  struct File {
    base::UniqueFd fd;
    std::uint64_t size = 0;
  };
  std::optional<File> open(std::string_view path) const;
  // The whole of a small file; absent also when it has more than `most` bytes.
  std::optional<std::string> text(std::string_view path, std::size_t most) const;
  bool has(std::string_view path) const { return open(path).has_value(); }

  // Names of directories in it, sorted.
  std::vector<std::string> folders() const;
  // Bytes of the regular files in and below it, at most `depth` folders down; what cannot be read
  // counts for nothing.
  std::uint64_t bytes(int depth) const;

 private:
  explicit ForeignFolder(base::UniqueFd fd)
      : fd_(std::make_shared<base::UniqueFd>(std::move(fd))) {}
  int fd() const { return fd_->get(); }

  std::shared_ptr<const base::UniqueFd> fd_;
};

// All of it, or as much as is there. Throws std::system_error.
std::string read_at(const base::UniqueFd& file, std::uint64_t offset, std::size_t most);

}  // namespace entrepot::transfer
