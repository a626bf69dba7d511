// The reading half of an upstream, for whatever interface includes registry::Source. The nouns live
// in their own files; what they share is the Asker, which a source of bytes given out may outlive
// us with.
#pragma once

#include <memory>
#include <utility>

#include "upstream/asker.hpp"
#include "upstream/blobs.hpp"
#include "upstream/listings.hpp"
#include "upstream/manifests.hpp"

namespace entrepot::upstream {

template <class Interface>
class Reader : public Interface {
 public:
  explicit Reader(std::shared_ptr<Asker> asker) : asker_(std::move(asker)) {}

  async::Task<registry::Answer<registry::Resolved>> resolve(oci::RepositoryName name,
                                                            oci::Reference reference) override {
    return resolve_manifest(asker_, std::move(name), std::move(reference));
  }
  async::Task<registry::Answer<registry::ManifestContent>> manifest(
      oci::RepositoryName name, oci::Reference reference) override {
    return fetch_manifest(asker_, std::move(name), std::move(reference));
  }
  async::Task<registry::Answer<registry::BlobSize>> stat(oci::RepositoryName name,
                                                         oci::Digest digest) override {
    return stat_blob(asker_, std::move(name), digest);
  }
  async::Task<registry::Answer<registry::BlobContent>> blob(oci::RepositoryName name,
                                                            oci::Digest digest) override {
    return open_blob(asker_, std::move(name), digest, {});
  }
  async::Task<registry::Answer<registry::BlobContent>> blob_from(
      oci::RepositoryName name, oci::Digest digest, registry::BlobStart start) override {
    return open_blob(asker_, std::move(name), digest, start);
  }
  async::Task<registry::Answer<registry::TagPage>> tags(oci::RepositoryName name,
                                                        registry::Page page) override {
    return list_tags(asker_, std::move(name), std::move(page));
  }
  async::Task<registry::Answer<registry::ReferrerPage>> referrers(oci::RepositoryName name,
                                                                  oci::Digest subject,
                                                                  std::string artifact_type,
                                                                  registry::Page page) override {
    return list_referrers(asker_, std::move(name), subject, std::move(artifact_type),
                          std::move(page));
  }

 protected:
  const std::shared_ptr<Asker>& asker() const { return asker_; }

 private:
  std::shared_ptr<Asker> asker_;
};

}  // namespace entrepot::upstream
