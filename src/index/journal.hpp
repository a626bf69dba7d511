// The Journal: every change of a tag of this site, in order, with time and cause. It feeds history
// and rollback detection now, peers and notifications later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"

namespace entrepot::index {

struct JournalRow {
  std::uint64_t sequence = 0;  // from 1, without gaps
  base::WallTime time;
  Cause cause;
  std::string repository;
  std::string tag;
  std::optional<oci::Digest> from;  // absent: the tag was new
  std::optional<oci::Digest> to;    // absent: the tag was removed
};

// Assigns the sequence number.
void append(Batch& batch, JournalRow row);
// Up to `limit` rows with a sequence above `since`.
std::vector<JournalRow> journal(const View& view, std::uint64_t since, std::size_t limit);

}  // namespace entrepot::index
