#include "replication/settlement.hpp"

#include <algorithm>
#include <optional>

#include "entrepot/index/catalog.hpp"
#include "entrepot/index/superseded.hpp"

namespace entrepot::replication {

namespace {

using index::Cause;
using index::Change;

// By somebody here, not by a rule.
bool made_here(const index::View& view, const Change& change) {
  return change.version.site == index::site_id(view) && change.cause != Cause::replication;
}

index::Applied apply(index::Batch& batch, const Change& change, const Errand& errand,
                     base::WallTime now) {
  if (errand.to.apply) return errand.to.apply(batch, change);
  return index::apply_change(batch, change, now);
}

// conflict: source. Its own changes go above what was changed here, as a change of ours, so that
// everybody hears of it. What a rule did there does not, or two such rules would never end.
std::optional<Change> raised(const index::View& view, const Change& change, const Change& standing,
                             const Errand& errand) {
  const auto us = index::site_id(view);
  const bool ours = standing.version.site == us;
  const bool theirs = change.cause != Cause::replication && change.version.site != us;
  if (!ours || !theirs || standing.to == change.to || change.version > standing.version) {
    return std::nullopt;
  }
  auto above = change;
  above.version = {standing.version.time + base::Milliseconds(1), us};
  above.cause = Cause::replication;
  above.who = errand.actor();
  return above;
}

Settled settled(index::Applied applied) {
  switch (applied) {
    case index::Applied::done:
      return Settled::done;
    case index::Applied::held:
      return Settled::held;
    case index::Applied::conflicted:
      return Settled::conflict;
  }
  return Settled::held;
}

}  // namespace

Settled settle(index::Batch& batch, const Change& change, Word word, const Errand& errand,
               base::WallTime now) {
  const auto& rule = errand.rule->rule();
  if (!change.to && rule.deletions == Deletions::keep) return Settled::passed;
  if (change.to && !index::linked(batch, change.repository, *change.to)) return Settled::missing;
  // Of a manifest that came with its tag nobody told when.
  if (!change.tag && change.version == index::Version{}) return Settled::done;
  const auto standing = change.tag && rule.conflict != Conflict::newest
                            ? index::latest_change(batch, change.repository, *change.tag)
                            : std::nullopt;
  if (standing && rule.conflict == Conflict::target && made_here(batch, *standing) &&
      standing->version < change.version && standing->to != change.to) {
    index::note_superseded(batch, change, now);
    return Settled::conflict;
  }
  if (standing && rule.conflict == Conflict::source && word == Word::last) {
    if (const auto above = raised(batch, change, *standing, errand)) {
      return settled(apply(batch, *above, errand, now));
    }
  }
  return settled(apply(batch, change, errand, now));
}

bool wants_content(const index::View& view, const Change& change) {
  if (!change.to) return false;
  auto manifest = change;
  manifest.tag.reset();
  return index::wins(view, manifest);
}

}  // namespace entrepot::replication
