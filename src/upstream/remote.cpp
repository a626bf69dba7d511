#include "entrepot/upstream/remote.hpp"

#include "upstream/asker.hpp"
#include "upstream/blobs.hpp"
#include "upstream/listings.hpp"
#include "upstream/manifests.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;

// The nouns live in their own files; what they share is the Asker, which a source of bytes given
// out may outlive us with.
class Remote final : public registry::Source {
 public:
  explicit Remote(std::shared_ptr<Asker> asker) : asker_(std::move(asker)) {}

  async::Task<Answer<registry::Resolved>> resolve(oci::RepositoryName name,
                                                  oci::Reference reference) override {
    return resolve_manifest(asker_, std::move(name), std::move(reference));
  }
  async::Task<Answer<registry::ManifestContent>> manifest(oci::RepositoryName name,
                                                          oci::Reference reference) override {
    return fetch_manifest(asker_, std::move(name), std::move(reference));
  }
  async::Task<Answer<registry::BlobSize>> stat(oci::RepositoryName name,
                                               oci::Digest digest) override {
    return stat_blob(asker_, std::move(name), digest);
  }
  async::Task<Answer<registry::BlobContent>> blob(oci::RepositoryName name,
                                                  oci::Digest digest) override {
    return open_blob(asker_, std::move(name), digest, {});
  }
  async::Task<Answer<registry::BlobContent>> blob_from(oci::RepositoryName name, oci::Digest digest,
                                                       registry::BlobStart start) override {
    return open_blob(asker_, std::move(name), digest, start);
  }
  async::Task<Answer<registry::TagPage>> tags(oci::RepositoryName name,
                                              registry::Page page) override {
    return list_tags(asker_, std::move(name), std::move(page));
  }
  async::Task<Answer<registry::ReferrerPage>> referrers(oci::RepositoryName name,
                                                        oci::Digest subject,
                                                        std::string artifact_type,
                                                        registry::Page page) override {
    return list_referrers(asker_, std::move(name), subject, std::move(artifact_type),
                          std::move(page));
  }

 private:
  std::shared_ptr<Asker> asker_;
};

}  // namespace

std::unique_ptr<registry::Source> connect(RemoteOptions options, http::Client& client,
                                          async::BlockingPool& pool, const base::Clock& clock,
                                          base::Metrics& metrics) {
  return std::make_unique<Remote>(std::make_shared<Asker>(options, client, pool, clock, metrics));
}

}  // namespace entrepot::upstream
