// The small texts of other registries' directories: link files, oci-layout, index.json. Pure; what
// they hold is somebody else's word.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"

namespace entrepot::transfer {

// registry:2's `link` file: a digest and perhaps a line break.
std::optional<oci::Digest> parse_link(std::string_view text);

// image-spec image-layout.md: {"imageLayoutVersion": "1.0.0"}.
bool is_layout_marker(std::string_view text);

struct LayoutEntry {
  oci::Digest digest;
  std::string name;  // org.opencontainers.image.ref.name; empty: none
};
// The entries of index.json in their order; those whose digest cannot be read are left out. The
// error is a sentence.
std::expected<std::vector<LayoutEntry>, std::string> parse_layout_index(std::string_view text);

// The one type these bytes can have as a manifest (oci::parse_manifest); empty when they are none.
std::string media_type_of(std::string_view manifest);

// `name` as a person may be shown it: printable, not long.
std::string shown(std::string_view name);

}  // namespace entrepot::transfer
