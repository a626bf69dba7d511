// Which children of an index belong to the platforms somebody wants: of copies and of bundles.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/manifest.hpp"

namespace entrepot::registry {

struct Children {
  std::vector<oci::Descriptor> wanted;  // in the order they stand, each once
  bool all = true;                      // nothing was left out
};

// `platforms`: os/architecture[/variant]; empty: all. What says no platform is wanted, and so is an
// attestation (unknown/unknown, BuildKit's vnd.docker.reference.digest) of an image that is.
// `index` is the bytes of `parsed`.
Children children_for(std::string_view index, const oci::Manifest& parsed,
                      const std::vector<std::string>& platforms);

}  // namespace entrepot::registry
