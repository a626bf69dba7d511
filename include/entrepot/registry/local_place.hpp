// This registry as a Place: what is held here as a Source, and what other registries have, written
// into local repositories under the rules of Writer, through Admission, leases included.
//
// A blob is earned by its source's word: bytes that are here already are linked only after the
// source confirmed that it has the blob (BlobOffer::stat), never for a digest alone. What moves
// goes into the digest's own Spool, so that a break, a restart and kill -9 all resume by Range.
// Read-only mode, quotas and immutable tags are `denied`.
#pragma once

#include <string>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/leases.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/registry/movers.hpp"
#include "entrepot/registry/sink.hpp"
#include "entrepot/registry/writer.hpp"
#include "entrepot/store/blob_store.hpp"

namespace entrepot::registry {

// Thread-safe.
class LocalPlace final : public Place {
 public:
  // All outlives the place; several places share one house.
  struct House {
    index::Index& index;
    store::BlobStore& store;
    Local& local;
    Admission& admission;
    LeaseTable& leases;
    Writer& writer;
    Movers& movers;
    async::BlockingPool& pool;
    // Whose mirrored repositories are listed, too, under their canonical names. Nothing is written
    // under a name that begins with one of them (denied).
    std::vector<std::string> upstreams{};
  };
  // `actor` stands in journal and events: "replication:<rule>".
  LocalPlace(House house, std::string actor);

  async::Task<Answer<Resolved>> resolve(oci::RepositoryName name,
                                        oci::Reference reference) override;
  async::Task<Answer<ManifestContent>> manifest(oci::RepositoryName name,
                                                oci::Reference reference) override;
  async::Task<Answer<BlobSize>> stat(oci::RepositoryName name, oci::Digest digest) override;
  async::Task<Answer<BlobContent>> blob(oci::RepositoryName name, oci::Digest digest) override;
  async::Task<Answer<TagPage>> tags(oci::RepositoryName name, Page page) override;
  async::Task<Answer<ReferrerPage>> referrers(oci::RepositoryName name, oci::Digest subject,
                                              std::string artifact_type, Page page) override;

  async::Task<Answer<BlobTaken>> put_blob(oci::RepositoryName name, BlobOffer offer) override;
  async::Task<Answer<void>> put_manifest(oci::RepositoryName name, ManifestOffer offer) override;
  async::Task<Answer<bool>> remove(oci::RepositoryName name, oci::Reference reference) override;
  async::Task<Answer<RepositoryPage>> repositories(Page page) override;

 private:
  const House house_;
  const index::Actor actor_;
};

}  // namespace entrepot::registry
