// Lists of a mirror: upstream's while it can be asked, else of what is held here.
#pragma once

#include "mirror/context.hpp"

namespace entrepot::mirror {

async::Task<registry::Answer<registry::TagPage>> list_tags(Shared context, Place place,
                                                           registry::Page page);
async::Task<registry::Answer<registry::ReferrerPage>> list_referrers(Shared context, Place place,
                                                                     oci::Digest subject,
                                                                     std::string artifact_type,
                                                                     registry::Page page);

}  // namespace entrepot::mirror
