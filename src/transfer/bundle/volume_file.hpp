// A file that somebody brought and that may be a volume. Its head is believed only under the
// signature of a trusted site, and not even read as JSON before. Blocks.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "entrepot/base/unique_fd.hpp"
#include "entrepot/transfer/site_key.hpp"
#include "transfer/bundle/volume_head.hpp"

namespace entrepot::transfer {

struct VolumeTrouble {
  enum class Kind {
    other,    // nothing that looks like a volume
    damaged,  // it does, and is not as it was written
    foreign,  // signed by a key that is not believed
  };
  Kind kind = Kind::other;
  std::string sentence;
};

class VolumeFile {
 public:
  // Regular files only, so nothing makes us wait; the way there is the operator's word. Throws
  // std::system_error when it cannot be read.
  static std::expected<VolumeFile, VolumeTrouble> open(const std::filesystem::path& path,
                                                       const std::vector<TrustedKey>& trusted);

  const std::filesystem::path& path() const { return path_; }
  const VolumeHead& head() const { return head_; }
  const std::string& head_text() const { return head_text_; }
  const base::UniqueFd& fd() const { return fd_; }
  std::uint64_t size() const { return size_; }
  // What it would be if it were whole.
  std::uint64_t size_due() const;
  // Of the first member's header.
  std::uint64_t body_offset() const;

 private:
  VolumeFile(std::filesystem::path path, base::UniqueFd fd, std::uint64_t size,
             std::string head_text, VolumeHead head);

  std::filesystem::path path_;
  base::UniqueFd fd_;
  std::uint64_t size_ = 0;
  std::string head_text_;
  VolumeHead head_;
};

}  // namespace entrepot::transfer
