// The tag an older registry's referrers of a manifest are listed under (distribution-spec
// "Unavailable Referrers API"). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::upstream {

// "sha256-<hex>"
oci::Tag referrers_tag(const oci::Digest& subject);

// The image index `list` (empty: none yet) with one more entry; absent when it is no index.
std::optional<std::string> with_referrer(std::string_view list, const index::Referrer& referrer);

}  // namespace entrepot::upstream
