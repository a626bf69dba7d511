// Files of keys and users: read whole, because they are small.
#pragma once

#include <sys/stat.h>

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace entrepot::auth {

inline constexpr std::size_t largest_file = 16 * 1024 * 1024;

struct SmallFile {
  std::string text;
  struct stat state{};
};

// The error is a sentence without the file's name. A file that changes while it is read is an
// error: what was read is nobody's version of it.
std::expected<SmallFile, std::string> read_small_file(const std::filesystem::path& path);

// The same; throws std::runtime_error naming the file.
std::string required_text(const std::filesystem::path& path);

// Whether both are the same version of the same file: size, number and both times (K-04).
bool same_version(const struct stat& a, const struct stat& b);

}  // namespace entrepot::auth
