// Directories that vanish with the test, small file systems among them.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::test {

// In memory where there is room: what tests check does not need a disk, and its syncs take long.
inline std::filesystem::path place_for_tests() {
  constexpr std::uintmax_t enough = 256 << 20;
  std::error_code missing;
  const std::filesystem::path memory = "/dev/shm";
  const auto space = std::filesystem::space(memory, missing);
  if (!missing && space.available >= enough && access(memory.c_str(), W_OK) == 0) return memory;
  return std::filesystem::temp_directory_path();
}

class TempDir {
 public:
  TempDir() {
    std::string pattern = (place_for_tests() / "entrepot-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A tmpfs of `size` ("1m") that is nowhere in the file system: only this process's descriptor leads
// to it, so it ends with the process, however that ends. mounted() is false when we may not mount
// (not root): skip, and say so.
class SmallFileSystem {
 public:
  explicit SmallFileSystem(const std::string& size) : root_(mount_detached(size)) {
    if (!mounted()) return;
    path_ = "/proc/self/fd/" + std::to_string(root_.get()) + "/data";
    std::filesystem::create_directory(path_);
  }

  bool mounted() const { return static_cast<bool>(root_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  static base::UniqueFd mount_detached(const std::string& size) {
    const base::UniqueFd context(fsopen("tmpfs", FSOPEN_CLOEXEC));
    const bool made = context &&
                      fsconfig(context.get(), FSCONFIG_SET_STRING, "size", size.c_str(), 0) == 0 &&
                      fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
    return base::UniqueFd(made ? fsmount(context.get(), FSMOUNT_CLOEXEC, 0) : -1);
  }

  base::UniqueFd root_;
  std::filesystem::path path_;
};

}  // namespace entrepot::test
