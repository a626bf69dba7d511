// What a manifest lists, held against what is here. Called by Writer inside the transaction that
// stores the manifest, so that nothing of it can be collected in between.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "entrepot/index/index.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/policy.hpp"

namespace entrepot::registry {

struct Shelves {
  oci::RepositoryName repository;
  std::optional<oci::RepositoryName> counterpart;  // what it holds may be linked here
};

struct Stock {
  std::vector<oci::Digest> missing;   // in the order listed, each once
  std::vector<oci::Digest> to_mount;  // held and linked in the counterpart only
  std::uint64_t bytes_to_mount = 0;
};

// Follows what is to be mounted to its own content; each digest is visited once (M-10). Refuses as
// manifest_invalid a size that is not that of what is stored (M-07). Foreign layers are passed
// over.
Stock take_stock(const index::View& view, const Shelves& shelves, const oci::Manifest& manifest,
                 MissingContent allowed);

// manifest_blob_unknown with every digest (M-08).
[[noreturn]] void refuse_missing(const std::vector<oci::Digest>& missing);

}  // namespace entrepot::registry
