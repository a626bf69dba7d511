// The questions to upstream about one tag. Each runs once for everybody who waits for it.
#pragma once

#include "mirror/context.hpp"
#include "mirror/tags.hpp"

namespace entrepot::mirror {

// A tag as the index has it.
struct HeldTag {
  oci::Digest digest;
  base::WallTime checked;
};
async::Task<std::optional<HeldTag>> held_tag(Shared context, Place place, oci::Tag tag);

// A tag that is not held: fetched and set.
async::Task<registry::Answer<Current>> first_fetch(Shared context, Place place, oci::Tag tag,
                                                   Want want);

// A held tag: confirmed by HEAD, moved (its new manifest fetched by digest, M-13), or removed when
// upstream says there is none. On any other failure nothing changes.
async::Task<registry::Answer<Current>> revalidate(Shared context, Place place, oci::Tag tag,
                                                  HeldTag held);

}  // namespace entrepot::mirror
