// What connect_place() makes.
#pragma once

#include <memory>

#include "upstream/blob_push.hpp"
#include "upstream/reader.hpp"

namespace entrepot::upstream {

class RemotePlace final : public Reader<registry::Place> {
 public:
  RemotePlace(std::shared_ptr<Asker> asker, UploadMemory memory, const base::Clock& clock);

  async::Task<registry::Answer<registry::BlobTaken>> put_blob(oci::RepositoryName name,
                                                              registry::BlobOffer offer) override;
  async::Task<registry::Answer<void>> put_manifest(oci::RepositoryName name,
                                                   registry::ManifestOffer offer) override;
  async::Task<registry::Answer<bool>> remove(oci::RepositoryName name,
                                             oci::Reference reference) override;
  async::Task<registry::Answer<registry::RepositoryPage>> repositories(
      registry::Page page) override;

 private:
  std::shared_ptr<PushDesk> desk_;
};

}  // namespace entrepot::upstream
