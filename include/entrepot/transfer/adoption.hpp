// Taking over what another registry left on disk: a registry:2 data directory (docker/registry/v2)
// or an OCI image layout, verified blob by blob, while this daemon serves.
//
// Reads the directory only; every file is judged by its digest, names of the directory become
// repository names and tags only when they are valid ones (reliability.md R-10: nothing is followed
// out of it, nothing but regular files is read). Image by image: its blobs, its children, then its
// manifest with its tags in one transaction, so a collection meanwhile finds nothing to take. What
// was brought over before is not read again, so a second run resumes the first. Images whose
// content is incomplete there are reported and left. A tag that was moved here by somebody else
// since stays where it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/store/blob_store.hpp"

namespace entrepot::transfer {

struct AdoptionOptions {
  std::filesystem::path directory;
  store::BlobStore::Bring files = store::BlobStore::Bring::link;
  // Of an OCI layout, which knows no names: the repository its tags go to. Ignored for registry:2
  // and for a directory of layouts, whose folders are their names.
  std::string repository;
  // Whether a name may become a local repository: not that of an upstream. Empty: any may.
  std::function<bool(const oci::RepositoryName&)> accepts{};
};

struct AdoptionReport {
  std::uint64_t repositories = 0;
  std::uint64_t tags = 0;
  std::uint64_t manifests = 0;
  std::uint64_t blobs = 0;  // brought now
  std::uint64_t bytes = 0;
  std::uint64_t held_before = 0;  // blobs
  std::uint64_t damaged = 0;      // files: digest wrong or missing; each was told
  std::uint64_t left_out = 0;     // repositories, manifests and tags; each was told
};

class Adoption {
 public:
  struct House {
    index::Index& index;
    store::BlobStore& store;
    registry::Admission& admission;
    const base::Clock& clock;
    async::BlockingPool& pool;
  };
  explicit Adoption(House house);

  // Called on the caller's thread, `stop` also on the pool's.
  struct Listener {
    std::function<void(std::uint64_t done, std::uint64_t total)> bytes;  // of files looked at
    std::function<void(std::string sentence)> trouble;
    std::function<bool()> stop;
  };
  // Throws std::runtime_error with a sentence when the directory is neither, std::system_error when
  // there is no room here.
  async::Task<AdoptionReport> run(AdoptionOptions options, index::Actor actor, Listener listener);

 private:
  House house_;
};

}  // namespace entrepot::transfer
