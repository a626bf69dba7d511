// Where tags pointed: written with every change of one, read by tag_history(), tag_changes() and
// hold_of().
#pragma once

#include <optional>

#include "entrepot/index/catalog.hpp"
#include "index/journal.hpp"
#include "index/keys.hpp"

namespace entrepot::index {

// The journal row of a change and its place in the tag's history.
void record_change(Batch& batch, RepositoryId id, JournalRow row);

// The latest time a tag of this repository left the digest, as far back as drop_history() has left.
std::optional<base::WallTime> last_left(const View& view, RepositoryId id,
                                        const oci::Digest& digest);

// For record_change() and migration: the history rows of a journal row that is there.
void put_history(Batch& batch, RepositoryId id, const JournalRow& row);

}  // namespace entrepot::index
