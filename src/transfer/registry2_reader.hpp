// One repository of registry:2 (the tree drawn in distribution's registry/storage/paths.go):
//
//   _manifests/revisions/<algorithm>/<hex>/link      a manifest; deleted ones have no link
//   _manifests/tags/<tag>/current/link               what the tag points to
//   _layers/<algorithm>/<hex>/link                   a blob it may give
#pragma once

#include "transfer/foreign_site.hpp"

namespace entrepot::transfer {

// Fills in manifests, tags and links.
void read_registry2(const ForeignFolder& folder, ForeignRepository& repository,
                    const Trouble& trouble);

}  // namespace entrepot::transfer
