// Uploads under way as rows of the index, so that the next push of the same blob goes on with them
// though this process ended meanwhile, however it did.
//
// What is kept is the address a registry gave, as it stands: no account, no token. An address
// elsewhere than at the registry itself (a store's, which may be signed) is not kept. Bounded: the
// newest 256 of a week, each of at most 4 KiB.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "entrepot/base/clock.hpp"
#include "entrepot/upstream/remote.hpp"
#include "upstream/upload.hpp"

namespace entrepot::upstream {

using UploadKey = std::pair<oci::RepositoryName, oci::Digest>;

class UploadNotes {
 public:
  // `clock` and the index outlive it.
  UploadNotes(UploadMemory memory, std::shared_ptr<Asker> asker, const base::Clock& clock)
      : memory_(std::move(memory)), asker_(std::move(asker)), clock_(clock) {}

  // Durable when it returns; without a memory, or when the index is full, nothing is kept.
  async::Task<> keep(UploadKey key, Upload::Place place);
  async::Task<std::optional<Upload::Place>> find(UploadKey key);
  async::Task<> forget(UploadKey key);

 private:
  std::string name_of(const UploadKey& key) const;

  const UploadMemory memory_;
  const std::shared_ptr<Asker> asker_;
  const base::Clock& clock_;
};

}  // namespace entrepot::upstream
