// Manifests of a mirror: held ones without a question, others fetched, verified and kept with their
// whole graph of edges, byte for byte (reliability.md M-15).
#pragma once

#include <optional>

#include "mirror/context.hpp"

namespace entrepot::mirror {

// Asks upstream for `reference` and keeps what comes. When `tag` is given it is set to the manifest
// in the same write. An answer that cannot be true (another digest, no manifest at all) is
// `broken` and leaves no trace (C-12, C-13). An index that cannot take it does not keep the bytes
// from the client.
async::Task<registry::Answer<Arrival>> fetch_manifest(Shared context, Place place,
                                                      oci::Reference reference,
                                                      std::optional<oci::Tag> tag);

async::Task<registry::Answer<registry::ManifestContent>> manifest_by_digest(Shared context,
                                                                            Place place,
                                                                            oci::Digest digest);
async::Task<registry::Answer<registry::Resolved>> resolve_digest(Shared context, Place place,
                                                                 oci::Digest digest);

registry::Resolved resolved_of(const registry::ManifestContent& content);

}  // namespace entrepot::mirror
