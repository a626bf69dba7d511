// Lists of an upstream: tags and referrers, gathered over its pages.
#pragma once

#include <memory>

#include "entrepot/registry/source.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

async::Task<registry::Answer<registry::TagPage>> list_tags(std::shared_ptr<Asker> asker,
                                                           oci::RepositoryName name,
                                                           registry::Page page);

// By the referrers API, else by the tag scheme (distribution-spec "Unavailable Referrers API").
// Absent when neither is there.
async::Task<registry::Answer<registry::ReferrerPage>> list_referrers(std::shared_ptr<Asker> asker,
                                                                     oci::RepositoryName name,
                                                                     oci::Digest subject,
                                                                     std::string artifact_type,
                                                                     registry::Page page);

}  // namespace entrepot::upstream
