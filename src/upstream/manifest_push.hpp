// Manifests and tags of an upstream, changed.
#pragma once

#include <memory>

#include "entrepot/registry/movers.hpp"
#include "entrepot/registry/sink.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

// By each of its tags, or by its digest where there is none. Where the registry lists no referrers
// itself, one with a subject is added to the index that stands for the list (distribution-spec
// "Pushing Manifests with Subject"); `movers` keeps those who change it apart.
async::Task<registry::Answer<void>> put_manifest(std::shared_ptr<Asker> asker,
                                                 std::shared_ptr<registry::Movers> movers,
                                                 oci::RepositoryName name,
                                                 registry::ManifestOffer offer);

// False: there was none. A registry that cannot take a tag alone is `denied`: the manifest stays,
// and with it other tags.
async::Task<registry::Answer<bool>> remove_reference(std::shared_ptr<Asker> asker,
                                                     oci::RepositoryName name,
                                                     oci::Reference reference);

}  // namespace entrepot::upstream
