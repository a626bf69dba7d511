#include "replication/settlement.hpp"

#include <algorithm>
#include <optional>

#include "entrepot/index/catalog.hpp"
#include "entrepot/index/superseded.hpp"
#include "entrepot/oci/refusal.hpp"

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

// What the rule makes of a change of a tag, where that is not for the versions to say.
struct Judgement {
  bool ours_stays = false;
  std::optional<Change> above{};  // takes its place
};

Judgement judge(const index::View& view, const Change& change, Word word, const Errand& errand) {
  const auto policy = errand.rule->rule().conflict;
  if (!change.tag || policy == Conflict::newest) return {};
  const auto standing = index::latest_change(view, change.repository, *change.tag);
  if (!standing) return {};
  if (policy == Conflict::source) {
    return {.above = word == Word::last ? raised(view, change, *standing, errand) : std::nullopt};
  }
  return {.ours_stays = made_here(view, *standing) && standing->version < change.version &&
                        standing->to != change.to};
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

std::string reference_of(const Change& change) {
  if (change.tag) return change.tag->text();
  return (change.to ? *change.to : change.from.value()).text();
}

Settled settle(index::Batch& batch, const Change& change, Word word, const Errand& errand,
               base::WallTime now) {
  const auto& rule = errand.rule->rule();
  if (!change.to && rule.deletions == Deletions::keep) return Settled::passed;
  if (change.to && !index::linked(batch, change.repository, *change.to)) return Settled::missing;
  // Of a manifest that came with its tag nobody told when.
  if (!change.tag && change.version == index::Version{}) return Settled::done;
  const auto judgement = judge(batch, change, word, errand);
  if (judgement.ours_stays) {
    index::note_superseded(batch, change, now);
    return Settled::conflict;
  }
  return settled(apply(batch, judgement.above.value_or(change), errand, now));
}

async::Task<registry::Answer<Settled>> settle_alone(SharedErrand errand, Change change) {
  try {
    const auto settled = co_await errand->house.index.write([&](index::Batch& batch) {
      return settle(batch, change, Word::last, *errand, errand->now());
    });
    if (settled != Settled::missing) co_return settled;
    co_return std::unexpected(
        registry::Failure{.kind = registry::FailureKind::absent, .message = vanished});
  } catch (const oci::Refusal& refusal) {
    co_return std::unexpected(registry::failure_of(refusal));
  }
}

bool wants_content(const index::View& view, const Change& change, Word word, const Errand& errand) {
  if (!change.to) return false;
  auto manifest = change;
  manifest.tag.reset();
  if (index::wins(view, manifest)) return true;
  if (!change.tag) return false;
  const auto judgement = judge(view, change, word, errand);
  return !judgement.ours_stays && (judgement.above || index::wins(view, change));
}

}  // namespace entrepot::replication
