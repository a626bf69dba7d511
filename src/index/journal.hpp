// The Journal as it lies in the index: rows of local and mirrored repositories, and what lost.
// Who reads it from outside: entrepot/index/journal.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "index/keys.hpp"

namespace entrepot::index {

struct JournalRow {
  std::uint64_t sequence = 0;  // from 1; drop_history() alone makes gaps
  base::WallTime time;         // when it happened here
  Cause cause;
  std::string repository;
  std::string tag;                  // empty: of the manifest itself
  std::optional<oci::Digest> from;  // absent: the tag was new
  std::optional<oci::Digest> to;    // absent: the tag was removed
  std::string who;                  // empty: nobody with a name
  Version version{};
};

// Assigns the sequence number and gives it.
std::uint64_t append(Batch& batch, JournalRow row);
// Up to `limit` rows with a sequence above `since`.
std::vector<JournalRow> journal(const View& view, std::uint64_t since, std::size_t limit);
// Absent when it was dropped.
std::optional<JournalRow> journal_row(const View& view, std::uint64_t sequence);

}  // namespace entrepot::index
