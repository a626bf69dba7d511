// Brings the images of one foreign repository over: blobs, children, then the manifest with its
// tags.
#pragma once

#include <unordered_map>

#include "entrepot/async/task.hpp"
#include "entrepot/oci/manifest.hpp"
#include "transfer/blob_porter.hpp"
#include "transfer/foreign_repository.hpp"
#include "transfer/journey.hpp"

namespace entrepot::transfer {

class ImagePorter {
 public:
  ImagePorter(Journey& journey, const ForeignRepository& repository);

  // Everything it has. What cannot come was told.
  async::Task<> bring_all();

 private:
  struct Image {
    oci::Digest digest;
    std::string bytes;
    oci::Manifest parsed;
  };
  struct Settled {
    std::vector<oci::Digest> missing;
    std::vector<oci::Tag> tags;
    std::vector<oci::Tag> tags_elsewhere;
  };

  // Whether the manifest is here with all it lists.
  async::Task<bool> bring(oci::Digest digest, int depth);
  async::Task<bool> bring_anew(oci::Digest digest, int depth);
  async::Task<bool> here_already(oci::Digest digest);
  async::Task<std::optional<Image>> read(oci::Digest digest);
  // What it lists and could not be had.
  async::Task<std::vector<oci::Digest>> bring_content(const oci::Manifest& manifest, int depth);
  async::Task<> bring_some(std::vector<oci::Edge>& edges, std::vector<oci::Digest>& missing);
  async::Task<Settled> settle(const Image& image);
  void set_tags(index::Batch& batch, const oci::Digest& digest, base::WallTime now,
                Settled& settled) const;
  void count_tags(const Settled& settled);
  void leave_out(const oci::Digest& digest, const std::string& why);

  Journey& journey_;
  const ForeignRepository& repository_;
  BlobPorter blobs_;
  std::unordered_map<oci::Digest, std::vector<oci::Tag>> tags_;
  std::unordered_map<oci::Digest, bool> known_;  // false while it is under way, too
};

}  // namespace entrepot::transfer
