#include "replication/plan.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "entrepot/async/together.hpp"
#include "replication/comparison.hpp"
#include "replication/conflict.hpp"
#include "replication/questions.hpp"
#include "replication/removals.hpp"

namespace entrepot::replication {

namespace {

using registry::Failure;
using registry::FailureKind;

constexpr std::size_t history_looked_at = 50;
constexpr std::size_t judged_at_once = 256;  // in one look into the index

struct Wanted {
  Found found;
  oci::RepositoryName to;
};

ItemName item_of(const Found& found) {
  return {found.repository, found.tag ? found.tag->text() : found.digest.text()};
}

std::vector<Wanted> rename(const Errand& errand, Survey& survey) {
  std::vector<Wanted> wanted;
  for (auto& found : survey.found) {
    auto to = errand.rule->target(found.repository);
    if (to) {
      wanted.push_back({found, std::move(*to)});
    } else {
      Failure failure{.kind = FailureKind::broken, .message = without_name};
      survey.troubles.push_back({item_of(found), std::move(failure)});
    }
  }
  return wanted;
}

struct Compared {
  std::vector<Wanted> different;
  std::vector<Wanted> same;
};

async::Task<Compared> compare(SharedErrand errand, std::vector<Wanted> wanted,
                              std::vector<Trouble>& troubles) {
  std::vector<Named> names;
  names.reserve(wanted.size());
  for (const auto& one : wanted) {
    names.push_back({one.to, one.found.tag ? oci::Reference(*one.found.tag)
                                           : oci::Reference(one.found.digest)});
  }
  const auto answers = co_await standings(errand, Side::target, std::move(names));
  Compared compared;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    // A target that stumbles over the question may take the image all the same: a mirror whose
    // upstream is gone says 502 of every name it does not hold.
    const bool stumbled = !answers[i] && answers[i].error().kind == FailureKind::broken;
    if (!answers[i] && !stumbled) {
      troubles.push_back({item_of(wanted[i].found), answers[i].error()});
    } else {
      const bool same = !stumbled && answers[i]->digest == wanted[i].found.digest;
      (same ? compared.same : compared.different).push_back(std::move(wanted[i]));
    }
  }
  co_return compared;
}

Verdict judge_here(const index::View& view, const Errand& errand, const Wanted& wanted) {
  const auto& [found, to] = wanted;
  if (!found.tag) return Verdict::take;
  Difference difference{.policy = errand.rule->rule().conflict,
                        .actor = errand.actor(),
                        .source = found.digest,
                        .version = found.version};
  difference.history = index::tag_changes(view, to, *found.tag, 0, history_looked_at);
  const auto latest = index::latest_change(view, to, *found.tag);
  if (latest) difference.ours = latest->version;
  return judge(difference);
}

// Takes out of `wanted` what stays as it is here; of a rule that follows settle() knows.
async::Task<std::vector<ItemName>> set_conflicts_aside(SharedErrand errand,
                                                       std::vector<Wanted>& wanted) {
  std::vector<ItemName> stay;
  if (!errand->rule->into_here() || errand->rule->follows()) co_return stay;
  std::vector<Wanted> taken;
  for (std::size_t begin = 0; begin < wanted.size(); begin += judged_at_once) {
    const auto end = std::min(begin + judged_at_once, wanted.size());
    const auto verdicts = co_await errand->house.index.read([&](const index::View& view) {
      std::vector<Verdict> all;
      for (auto i = begin; i < end; ++i) all.push_back(judge_here(view, *errand, wanted[i]));
      return all;
    });
    for (auto i = begin; i < end; ++i) {
      if (verdicts[i - begin] == Verdict::take) {
        taken.push_back(std::move(wanted[i]));
      } else {
        stay.push_back(item_of(wanted[i].found));
      }
    }
    co_await async::give_way();
  }
  wanted = std::move(taken);
  co_return stay;
}

// In the words of here.
index::Change change_of(const Wanted& wanted) {
  const auto& [found, to] = wanted;
  auto change =
      found.change.value_or(index::Change{.repository = to, .tag = found.tag, .to = found.digest});
  change.repository = to;
  return change;
}

// Tags of one manifest in one repository go along with it at once.
std::vector<Image> images_of(const Errand& errand, const std::vector<Wanted>& wanted) {
  // A change of ours, which is greater than what stands, wherever the policy is not about versions.
  const bool versions =
      errand.rule->into_here() &&
      (errand.rule->follows() || errand.rule->rule().conflict == Conflict::newest);
  std::vector<Image> images;
  std::map<std::tuple<oci::RepositoryName, oci::Digest, std::optional<index::Version>>, std::size_t>
      places;
  for (const auto& one : wanted) {
    const auto& [found, to] = one;
    const auto version = versions ? found.version : std::nullopt;
    const auto [place, is_new] =
        places.try_emplace({found.repository, found.digest, version}, images.size());
    if (is_new) {
      images.push_back(
          {.from = found.repository, .to = to, .digest = found.digest, .version = version});
    }
    if (found.tag) images[place->second].tags.push_back(*found.tag);
    if (errand.rule->follows()) images[place->second].changes.push_back(change_of(one));
  }
  return images;
}

// A signature that is pushed after its image changes no tag. Looking for it is a question for each
// image, so it is done now and then, and sooner when a person runs the rule.
bool time_for_referrers(const Errand& errand, Origin origin) {
  const std::chrono::minutes pause(origin == Origin::hand ? 1 : 60);
  return errand.rule->rule().referrers && errand.now() - errand.referrers_seen.load() >= pause;
}

// Of what is here already, images to which a signature may have come. Sites that can be compared
// need no question for each: a signature is a manifest, so it shows in the summaries. They count
// local repositories only; what is mirrored there has no version.
async::Task<std::vector<Wanted>> with_news(SharedErrand errand, std::vector<Wanted> held) {
  if (!errand->rule->into_here()) co_return held;
  const auto lack = co_await lacking(errand);
  if (!lack) co_return held;
  std::erase_if(held, [&lack](const Wanted& one) {
    return one.found.version && !lack->contains(one.found.repository);
  });
  co_return held;
}

std::vector<Image> without_tags(std::vector<Image> images) {
  for (auto& image : images) image.tags.clear();
  return images;
}

}  // namespace

std::vector<ItemName> items_of(const Image& image) {
  if (image.tags.empty()) return {{image.from, image.digest.text()}};
  std::vector<ItemName> items;
  items.reserve(image.tags.size());
  for (const auto& tag : image.tags) items.push_back({image.from, tag.text()});
  return items;
}

async::Task<Plan> make_plan(SharedErrand errand, std::optional<Selection> selection,
                            Origin origin) {
  const bool whole = !selection;
  auto seen = co_await survey(errand, std::move(selection));
  Plan plan{.repositories = seen.repositories, .tags = seen.found.size()};
  auto wanted = rename(*errand, seen);
  auto compared = co_await compare(errand, std::move(wanted), seen.troubles);
  plan.conflicts = co_await set_conflicts_aside(errand, compared.different);
  plan.images = images_of(*errand, compared.different);
  plan.looks_for_referrers = whole && time_for_referrers(*errand, origin);
  if (plan.looks_for_referrers) {
    auto held = co_await with_news(errand, std::move(compared.same));
    plan.held = without_tags(images_of(*errand, held));
  }
  if (whole && errand->rule->rule().deletions != Deletions::keep) {
    auto gone = co_await find_removals(errand, seen);
    std::ranges::move(gone.troubles, std::back_inserter(seen.troubles));
    if (gone.too_many(origin)) {
      plan.refused = gone.sentence();
    } else {
      plan.removals = std::move(gone.removals);
    }
  }
  plan.troubles = std::move(seen.troubles);
  co_return plan;
}

}  // namespace entrepot::replication
