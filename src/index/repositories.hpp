// Repositories by number: every row but one carries the number instead of the name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/name.hpp"
#include "index/keys.hpp"
#include "index/records.hpp"

namespace entrepot::index {

std::optional<RepositoryRecord> repository_record(const View& view,
                                                  const oci::RepositoryName& repository);
std::optional<RepositoryId> repository_id(const View& view, const oci::RepositoryName& repository);
// Gives a new repository the next number, and its kind for ever. Numbers are never used again.
RepositoryRecord ensure_repository(Batch& batch, const oci::RepositoryName& repository,
                                   RepositoryKind kind);
// Absent: no repository of this upstream was ever here.
std::optional<UpstreamId> upstream_id(const View& view, std::string_view upstream);
std::optional<oci::RepositoryName> repository_name(const View& view, RepositoryId id);

// A number in Space::meta; 0 when it was never written.
std::uint64_t meta_number(const View& view, std::string_view row);
void put_meta_number(Batch& batch, std::string_view row, std::uint64_t value);

}  // namespace entrepot::index
