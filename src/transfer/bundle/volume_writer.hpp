// A volume being written: its head last, for it names sums of what follows it, in the room that was
// left for it. Blocks.
#pragma once

#include <filesystem>
#include <string>

#include "entrepot/oci/digest.hpp"
#include "entrepot/transfer/site_key.hpp"
#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/volume_head.hpp"

namespace entrepot::transfer {

inline constexpr std::string_view head_name = "entrepot/volume.json";
inline constexpr std::string_view seal_name = "entrepot/volume.sig";
// Two lines of base64: 32 and 64 bytes.
inline constexpr std::uint64_t seal_size = 44 + 1 + 88 + 1;

// What is signed of a head.
std::string sealed_text(std::string_view head);

// Of the file a head describes; `head_size`: of its text.
std::uint64_t volume_size(const VolumeHead& head, std::uint64_t head_size);

// Gone without a trace unless finished.
class VolumeWriter {
 public:
  // `head` is complete but for sums of parts, and of parity. Throws std::system_error.
  VolumeWriter(const std::filesystem::path& path, VolumeHead head, const SiteKey& key);

  // Members in the order of the head, each to its full size. end() throws std::system_error (EIO)
  // when a blob is not what its digest says.
  void begin(std::size_t member);
  void append(base::ByteView bytes);
  void end();

  VolumeHead& head() { return head_; }
  std::uint64_t size() const { return file_.size(); }
  // Durable when it returns.
  void finish();

 private:
  VolumeHead head_;
  const SiteKey& key_;
  DurableFile file_;
  std::uint64_t head_size_ = 0;
  std::size_t member_ = 0;
  oci::Hasher hasher_{oci::Algorithm::sha256};
};

}  // namespace entrepot::transfer
