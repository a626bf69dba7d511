// Blobs of a mirror: the stored one, else the running fill, else a fill of our own.
#pragma once

#include "mirror/context.hpp"

namespace entrepot::mirror {

async::Task<registry::Answer<registry::BlobContent>> open_blob(Shared context, Place place,
                                                               oci::Digest digest);
// Size only: asks HEAD of upstream when not held, and fills nothing.
async::Task<registry::Answer<registry::BlobSize>> stat_blob(Shared context, Place place,
                                                            oci::Digest digest);

}  // namespace entrepot::mirror
