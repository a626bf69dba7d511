// Blobs of an upstream: how large they are, and a source of their bytes from any offset.
#pragma once

#include <memory>

#include "entrepot/registry/source.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

// By HEAD; where an upstream, or the store it redirects to, does not tell that way, by the first
// byte's Content-Range.
async::Task<registry::Answer<registry::BlobSize>> stat_blob(std::shared_ptr<Asker> asker,
                                                            oci::RepositoryName name,
                                                            oci::Digest digest);

// The transfer has begun when this returns, so that a refusal shows here.
async::Task<registry::Answer<registry::BlobContent>> open_blob(std::shared_ptr<Asker> asker,
                                                               oci::RepositoryName name,
                                                               oci::Digest digest,
                                                               registry::BlobStart start);

}  // namespace entrepot::upstream
