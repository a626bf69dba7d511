// What each repository holds, counted: one row for every repository that holds anything, and one
// for every beginning of a local name, with the sum.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "entrepot/index/catalog.hpp"
#include "index/records.hpp"

namespace entrepot::index {

// Absent: no link and no tag.
std::optional<Usage> usage_of(const View& view, const RepositoryRecord& repository);

// Called by whoever writes or erases a row of links or tags, with the difference it makes.
struct UsageChange {
  std::int64_t bytes = 0;
  std::int64_t links = 0;
  std::int64_t tags = 0;
};
void change_usage(Batch& batch, const RepositoryRecord& repository, const UsageChange& change);
// For migration: the row of the repository alone; and what it adds to the sums.
void put_usage(Batch& batch, const RepositoryRecord& repository, const Usage& usage);
void change_sums(Batch& batch, std::string_view repository, const UsageChange& change);

// The first local repository with a number above `after` that holds anything; none to begin with.
std::optional<RepositoryId> next_local(const View& view, std::optional<RepositoryId> after);

}  // namespace entrepot::index
