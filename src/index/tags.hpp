// Rows of tags, for the other files of this room.
#pragma once

#include <optional>
#include <string_view>

#include "entrepot/index/catalog.hpp"
#include "index/keys.hpp"
#include "index/records.hpp"

namespace entrepot::index {

std::optional<TagRecord> tag_record(const View& view, RepositoryId id, std::string_view tag);

// Of the tag as it stands, or of its removal; absent when nothing is known of it.
std::optional<Version> standing_version(const View& view, RepositoryId id, std::string_view tag);

// The row of a tag, the way back from its digest, and the count of tags. `from`: where it points
// now.
void point(Batch& batch, const RepositoryRecord& owner, const oci::Tag& tag,
           const std::optional<oci::Digest>& from, const std::optional<TagRecord>& to);

}  // namespace entrepot::index
