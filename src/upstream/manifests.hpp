// Manifests of an upstream: what a reference stands for, and the bytes, believed only when their
// digest and media type are what they must be (reliability.md C-12, C-13).
#pragma once

#include <memory>

#include "entrepot/registry/source.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

// By HEAD; by GET where an upstream's HEAD does not tell enough.
async::Task<registry::Answer<registry::Resolved>> resolve_manifest(std::shared_ptr<Asker> asker,
                                                                   oci::RepositoryName name,
                                                                   oci::Reference reference);

async::Task<registry::Answer<registry::ManifestContent>> fetch_manifest(
    std::shared_ptr<Asker> asker, oci::RepositoryName name, oci::Reference reference);

}  // namespace entrepot::upstream
