// Brings the blobs of foreign repositories over, each read once.
#pragma once

#include "entrepot/async/task.hpp"
#include "entrepot/oci/manifest.hpp"
#include "transfer/foreign_repository.hpp"
#include "transfer/journey.hpp"

namespace entrepot::transfer {

class BlobPorter {
 public:
  explicit BlobPorter(Journey& journey) : journey_(journey) {}

  // Whether the blob is held and linked in the repository of that name here, now or before; why
  // not was told. Several may be under way, of different digests.
  async::Task<bool> bring(const ForeignRepository& repository, oci::Descriptor listed);

 private:
  // Has it here already, perhaps by way of another repository.
  async::Task<bool> held(const ForeignRepository& repository, oci::Digest digest);
  // Its file, read to the end and found to be what it is called.
  async::Task<std::optional<ForeignFolder::File>> verified(const ForeignRepository& repository,
                                                           const oci::Descriptor& listed);
  async::Task<> hash(const base::UniqueFd& file, oci::Hasher& hasher);
  async::Task<bool> admit(const ForeignRepository& repository, const base::UniqueFd& file,
                          oci::Digest digest);
  void damaged(const ForeignRepository& repository, const oci::Digest& digest,
               const std::string& why);

  Journey& journey_;
};

}  // namespace entrepot::transfer
