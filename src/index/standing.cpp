#include "index/standing.hpp"

#include <algorithm>

#include "entrepot/index/journal.hpp"
#include "index/history.hpp"

namespace entrepot::index {

std::string subject_of(const JournalRow& row) {
  if (!row.tag.empty()) return row.tag;
  return row.to ? row.to->text() : row.from->text();
}

std::optional<JournalRow> newest_row(const View& view, RepositoryId id, std::string_view subject) {
  std::optional<JournalRow> found;
  visit_rows(view, id, subject, [&](JournalRow row) {
    if (row.cause == Cause::superseded) return Continue::yes;
    found = std::move(row);
    return Continue::no;
  });
  return found;
}

Version version_above(const View& view, const std::optional<Version>& standing,
                      base::WallTime now) {
  const auto time =
      standing && standing->time >= now ? standing->time + base::Milliseconds(1) : now;
  return {time, site_id(view)};
}

}  // namespace entrepot::index
