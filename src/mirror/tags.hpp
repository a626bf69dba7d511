// What a tag of the upstream stands for: from here while fresh, confirmed by HEAD when not, from
// here all the same when upstream cannot be asked (design.md "Freshness of a mirrored tag").
#pragma once

#include "mirror/context.hpp"

namespace entrepot::mirror {

// For a tag not held: what to fetch it by. A client that asks HEAD gets its digest as cheaply as
// upstream can tell it; one that asks GET costs a single GET. Either way the manifest is kept.
enum class Want { digest, content };

// REQUIRES: nothing. Absent from upstream (404) removes a held tag; nothing else does.
async::Task<registry::Answer<Current>> current(Shared context, Place place, oci::Tag tag,
                                               Want want);

}  // namespace entrepot::mirror
