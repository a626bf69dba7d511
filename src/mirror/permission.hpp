// May this repository have a digest that is here, or on its way here, for another one's sake?
// (reliability.md C-20 to C-22, rule 2.) The bytes are shared, the right to them is not: it is
// earned through the repository's own manifest and upstream, and then written down as a link.
#pragma once

#include "entrepot/index/catalog.hpp"
#include "mirror/context.hpp"

namespace entrepot::mirror {

struct Standing {
  bool stored = false;
  bool linked = false;
  // Under which a manifest of this repository lists the digest.
  std::optional<oci::Descriptor> listed;
  // A repository of the same upstream has earned it.
  bool earned_beside = false;
};
async::Task<Standing> standing(Shared context, Place place, oci::Digest digest);

// Ok when the repository may have it: listed here and earned (or `being_earned`, by a fill) beside,
// or confirmed by its own upstream just now (HEAD, shared by all who ask).
enum class BeingEarned { no, beside };
async::Task<registry::Answer<void>> prove(Shared context, Place place, oci::Digest digest,
                                          Standing standing, BeingEarned fill);

// Makes a digest held here this repository's, too, without asking anybody: it is listed here and
// earned beside. True when the link is written.
async::Task<bool> inherit(Shared context, Place place, oci::Digest digest);

// Writes the link; true when it is there. False also when nothing is held under the digest by now.
async::Task<bool> link(Shared context, Place place, oci::Digest digest);

// One HEAD to upstream for everybody who wants it now; "absent" is remembered.
async::Task<registry::Answer<registry::BlobSize>> ask_size(Shared context, Place place,
                                                           oci::Digest digest);

}  // namespace entrepot::mirror
