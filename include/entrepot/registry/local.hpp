// What this site holds, as a Source: index and store together, visibility per repository enforced
// here and nowhere else (reliability.md rule 2).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "entrepot/base/metrics.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/source.hpp"
#include "entrepot/store/blob_store.hpp"

namespace entrepot::registry {

// Thread-safe. `index` and `store` must outlive it. Failures are only `absent`.
class Local : public Source {
 public:
  // `metrics` hear of blobs that turn out lost; null: nobody does.
  Local(index::Index& index, store::BlobStore& store, base::Metrics* metrics = nullptr)
      : index_(index), store_(store), metrics_(metrics) {}

  async::Task<Answer<Resolved>> resolve(oci::RepositoryName name,
                                        oci::Reference reference) override;
  async::Task<Answer<ManifestContent>> manifest(oci::RepositoryName name,
                                                oci::Reference reference) override;
  async::Task<Answer<BlobSize>> stat(oci::RepositoryName name, oci::Digest digest) override;
  async::Task<Answer<BlobContent>> blob(oci::RepositoryName name, oci::Digest digest) override;
  async::Task<Answer<TagPage>> tags(oci::RepositoryName name, Page page) override;
  async::Task<Answer<ReferrerPage>> referrers(oci::RepositoryName name, oci::Digest subject,
                                              std::string artifact_type, Page page) override;

  // Names of the local repositories, and of those mirrored from `upstreams`, that have something
  // here.
  async::Task<std::vector<oci::RepositoryName>> catalog(std::vector<std::string> upstreams,
                                                        Page page);

 private:
  // The file behind a recorded blob is gone or damaged (reliability.md C-04, C-06): from now on it
  // is absent, so that a mirror fetches it again. `lost`: the record it was sought by; another
  // one stays.
  async::Task<> forget(oci::Digest digest, index::BlobRecord lost);

  index::Index& index_;
  store::BlobStore& store_;
  base::Metrics* metrics_;
};

}  // namespace entrepot::registry
