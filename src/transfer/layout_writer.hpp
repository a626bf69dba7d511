// An OCI image layout being written (image-spec image-layout.md). Files appear under their digest
// only when they are whole (reliability.md R-11), index.json last. Blocks; not thread-safe, but for
// Files of different digests.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/unique_fd.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::transfer {

struct LayoutImage {
  std::string media_type;
  oci::Digest digest;
  std::uint64_t size = 0;
  std::string tag;            // empty: none
  std::string artifact_type;  // empty: none
};

class LayoutWriter {
 public:
  // Makes what is missing, reads what is there. Throws std::system_error; std::runtime_error with a
  // sentence when the directory is another's work or somebody else writes there now.
  explicit LayoutWriter(const std::filesystem::path& directory);

  bool has(const oci::Digest& digest, std::uint64_t size) const;

  // A blob on its way; gone without a trace unless it was finished.
  class File {
   public:
    File(const LayoutWriter& writer, const oci::Digest& digest);
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void append(base::ByteView bytes);
    // Throws std::system_error (EIO) when the bytes are not what the digest says.
    void finish();

   private:
    const LayoutWriter& writer_;
    const oci::Digest digest_;
    const std::string name_;
    base::UniqueFd fd_;
    oci::Hasher hasher_;
  };

  void write(const oci::Digest& digest, base::ByteView bytes);
  // Takes the place of an image with the same tag.
  void add(const LayoutImage& image);
  // index.json; durable with all that was written before.
  void save();

 private:
  int folder_of(oci::Algorithm algorithm) const { return folders_.at(algorithm).get(); }

  base::UniqueFd top_;  // locked
  std::map<oci::Algorithm, base::UniqueFd> folders_;
  boost::json::array images_;
};

}  // namespace entrepot::transfer
