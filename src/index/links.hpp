// Links by repository number, for the other files of this room.
#pragma once

#include <cstdint>
#include <optional>

#include "entrepot/index/catalog.hpp"
#include "index/keys.hpp"
#include "index/records.hpp"

namespace entrepot::index {

std::optional<LinkRecord> link_record(const View& view, RepositoryId repository,
                                      const oci::Digest& digest);
// Whether the repository of this number has the right to `digest`.
bool linked(const View& view, RepositoryId repository, const oci::Digest& digest);

// The first manifest linked in the repository that lists `digest`. Takes some look-ups for each
// parent here or each link there, whichever are fewer: a layer of everybody's is as quick in a
// small repository as a layer of nobody else's in a large one.
std::optional<oci::Digest> listing_parent(const View& view, RepositoryId repository,
                                          const oci::Digest& digest);

// Bytes of a digest's blob, else of its manifest; absent when it has no row.
std::optional<std::uint64_t> content_size(const View& view, const oci::Digest& digest);

}  // namespace entrepot::index
