// Where tags pointed: written with every change of one, read by tag_history(), tag_changes() and
// hold_of().
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "entrepot/index/catalog.hpp"
#include "index/journal.hpp"
#include "index/keys.hpp"

namespace entrepot::index {

// The journal row of a change and its place in the tag's history.
void record_change(Batch& batch, RepositoryId id, JournalRow row);

// The latest time a tag of this repository left the digest, as far back as drop_history() has left.
std::optional<base::WallTime> last_left(const View& view, RepositoryId id,
                                        const oci::Digest& digest);

// The journal rows of a tag (or of a manifest: standing.hpp) that are still there, newest first,
// until `visit` answers no.
void visit_rows(const View& view, RepositoryId id, std::string_view subject,
                const std::function<Continue(JournalRow)>& visit);

// The row of the subject that stood before this one.
std::optional<JournalRow> row_before(const View& view, RepositoryId id, std::string_view subject,
                                     std::uint64_t sequence);

// For record_change() and migration: the history rows of a journal row that is there.
void put_history(Batch& batch, RepositoryId id, const JournalRow& row);

}  // namespace entrepot::index
