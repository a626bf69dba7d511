// One OCI image layout (image-spec image-layout.md): what its index.json names.
#pragma once

#include "transfer/foreign_site.hpp"

namespace entrepot::transfer {

bool is_layout(const ForeignFolder& folder);

// Fills in manifests and tags.
void read_layout(const ForeignFolder& folder, ForeignRepository& repository,
                 const Trouble& trouble);

}  // namespace entrepot::transfer
