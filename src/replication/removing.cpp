#include "replication/removing.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"
#include "replication/questions.hpp"
#include "replication/removals.hpp"

namespace entrepot::replication {

namespace {

using registry::Answer;

async::Task<bool> is_wanted(SharedErrand errand, Removal removal) {
  std::vector<Named> names;
  names.reserve(removal.absent_from.size());
  for (const auto& from : removal.absent_from) names.push_back({from, oci::Reference(removal.tag)});
  const auto answers = co_await standings(errand, Side::source, std::move(names));
  co_return std::ranges::any_of(answers,
                                [](const auto& answer) { return !answer || answer->digest; });
}

// A change of ours, above what stands.
index::Change change_of(const index::View& view, const Errand& errand, const Removal& removal,
                        const index::TagRecord& standing) {
  index::Change change{.repository = removal.repository,
                       .tag = removal.tag,
                       .from = standing.digest,
                       .cause = index::Cause::replication,
                       .who = errand.actor()};
  change.version.time = std::max(errand.now(), standing.version.time + base::Milliseconds(1));
  change.version.site = index::site_id(view);
  return change;
}

Fate take_away_in(index::Batch& batch, const Errand& errand, const Removal& removal) {
  const auto standing = index::tag(batch, removal.repository, removal.tag);
  if (!standing) return Fate::gone;
  const bool follows = errand.rule->rule().deletions == Deletions::follow;
  if (standing->digest != removal.digest ||
      (follows && !brought_here(batch, errand, removal.repository, removal.tag))) {
    return Fate::changed;
  }
  const auto change = change_of(batch, errand, removal, *standing);
  if (errand.to.apply) {
    errand.to.apply(batch, change);
  } else {
    index::apply_change(batch, change, errand.now());
  }
  return Fate::removed;
}

async::Task<Answer<Fate>> take_away_here(SharedErrand errand, Removal removal) {
  try {
    co_return co_await errand->house.index.write(
        [&](index::Batch& batch) { return take_away_in(batch, *errand, removal); });
  } catch (const oci::Refusal& refusal) {
    co_return std::unexpected(registry::failure_of(refusal));
  } catch (const index::IndexFull&) {
    co_return std::unexpected(registry::Failure{.kind = registry::FailureKind::broken,
                                                .message = "the index here is full"});
  }
}

async::Task<Answer<Fate>> take_away_elsewhere(SharedErrand errand, Removal removal) {
  const oci::Reference tag(removal.tag);
  std::vector<Named> name{{removal.repository, tag}};
  const auto answers = co_await standings(errand, Side::target, std::move(name));
  const auto& standing = answers[0];
  if (!standing) co_return std::unexpected(standing.error());
  if (!standing->digest) co_return Fate::gone;
  if (standing->digest != removal.digest) co_return Fate::changed;
  const auto answer = co_await errand->to.place->remove(removal.repository, tag);
  if (!answer) co_return std::unexpected(answer.error());
  co_return *answer ? Fate::removed : Fate::gone;
}

}  // namespace

async::Task<Answer<Fate>> take_away(SharedErrand errand, Removal removal) {
  if (co_await is_wanted(errand, removal)) co_return Fate::wanted;
  if (errand->rule->into_here()) co_return co_await take_away_here(errand, std::move(removal));
  co_return co_await take_away_elsewhere(errand, std::move(removal));
}

}  // namespace entrepot::replication
