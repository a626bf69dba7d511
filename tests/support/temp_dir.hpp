// Directories that vanish with the test, small file systems among them.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

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

// A tmpfs of `size` ("1m"). mounted() is false when we may not mount (not root): skip, and say so.
class SmallFileSystem {
 public:
  explicit SmallFileSystem(const std::string& size)
      : mounted_(mount("tmpfs", dir_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {}
  ~SmallFileSystem() {
    if (mounted_) umount2(dir_.path().c_str(), MNT_DETACH);
  }
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;

  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return dir_.path(); }

 private:
  TempDir dir_;
  bool mounted_;
};

}  // namespace entrepot::test
