// What stands for a tag or for a manifest itself: the version the next change has to be above.
//
// Both are subjects of history rows; a manifest's are under the text of its digest, which is no
// tag.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "entrepot/index/catalog.hpp"
#include "index/journal.hpp"
#include "index/keys.hpp"

namespace entrepot::index {

// Under what a row stands in the history of its repository.
std::string subject_of(const JournalRow& row);

// The newest row of a subject that did not lose.
std::optional<JournalRow> newest_row(const View& view, RepositoryId id, std::string_view subject);

// Of a change made here and now over what stands.
Version version_above(const View& view, const std::optional<Version>& standing, base::WallTime now);

}  // namespace entrepot::index
