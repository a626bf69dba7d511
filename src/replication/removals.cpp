#include "replication/removals.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/index/notes.hpp"
#include "replication/companions.hpp"
#include "replication/questions.hpp"

namespace entrepot::replication {

namespace {

constexpr std::size_t rows_at_once = 256;

// By the target's name of a repository, what the source calls it: several, where a rename makes one
// of them.
using Names = std::vector<oci::RepositoryName>;
using Sources = std::map<oci::RepositoryName, Names>;

// A tag of the target this rule may answer for.
struct Candidate {
  Names from;
  oci::RepositoryName to;
  oci::Tag tag;
  std::optional<oci::Digest> digest{};  // of what stands there, where that is known already
};

std::string brought_scope(const Errand& errand) { return "replication brought " + errand.name(); }
std::string brought_key(const oci::RepositoryName& repository, const oci::Tag& tag) {
  return repository.text() + " " + tag.text();
}

// Where the survey knows them or the rename says it; none: it is not the rule's.
Names sources_of(const Errand& errand, const Sources& known, const oci::RepositoryName& target) {
  const auto found = known.find(target);
  if (found != known.end()) return found->second;
  auto name = errand.rule->source_of(target);
  if (!name || !errand.rule->covers(*name)) return {};
  return {std::move(*name)};
}

Sources known_targets(const Errand& errand, const Survey& survey) {
  std::set<oci::RepositoryName> names;
  for (const auto& [name, tags] : survey.listed) names.insert(name);
  // What could not be listed may have the tag.
  for (const auto& trouble : survey.troubles) names.insert(trouble.item.repository);
  Sources known;
  for (const auto& name : names) {
    if (auto target = errand.rule->target(name)) known[std::move(*target)].push_back(name);
  }
  return known;
}

// Whether the source was seen to have the tag in none of them.
bool lack(const Survey& survey, const Candidate& candidate) {
  return std::ranges::all_of(candidate.from,
                             [&](const auto& name) { return survey.lacks(name, candidate.tag); });
}

// ---- what this rule brought to `here` ---------------------------------------------------------

async::Task<std::vector<oci::RepositoryName>> local_repositories(SharedErrand errand) {
  std::vector<oci::RepositoryName> all;
  for (std::string after;;) {
    const auto page = co_await errand->house.index.read([&after](const index::View& view) {
      return index::repositories(view, {}, after, rows_at_once);
    });
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < rows_at_once) co_return all;
    after = page.back().text();
    co_await async::give_way();
  }
}

struct TagsSeen {
  std::vector<std::pair<oci::Tag, oci::Digest>> brought;
  std::string after{};
  bool more = false;
};

TagsSeen see_tags(const index::View& view, const Errand& errand,
                  const oci::RepositoryName& repository, const std::string& after) {
  TagsSeen seen;
  for (auto& tag : index::tags(view, repository, after, rows_at_once)) {
    seen.after = tag.text();
    seen.more = true;
    if (!brought_here(view, errand, repository, tag)) continue;
    const auto record = index::tag(view, repository, tag);
    if (record) seen.brought.emplace_back(std::move(tag), record->digest);
  }
  return seen;
}

async::Task<std::vector<Candidate>> brought_to_here(SharedErrand errand, const Sources& known) {
  std::vector<Candidate> found;
  for (const auto& to : co_await local_repositories(errand)) {
    const auto from = sources_of(*errand, known, to);
    if (from.empty()) continue;
    TagsSeen seen{.brought = {}, .after = {}, .more = true};
    while (seen.more) {
      seen = co_await errand->house.index.read(
          [&](const index::View& view) { return see_tags(view, *errand, to, seen.after); });
      for (auto& [tag, digest] : seen.brought) found.push_back({from, to, std::move(tag), digest});
      co_await async::give_way();
    }
  }
  co_return found;
}

// ---- what this rule brought elsewhere ---------------------------------------------------------

std::optional<Candidate> read_brought(const index::Note& note) {
  const auto blank = note.key.find(' ');
  const auto mark = note.value.find(' ');
  if (blank == note.key.npos || mark == note.value.npos) return std::nullopt;
  auto to = oci::RepositoryName::parse(std::string_view(note.key).substr(0, blank));
  auto tag = oci::Tag::parse(std::string_view(note.key).substr(blank + 1));
  auto from = oci::RepositoryName::parse(std::string_view(note.value).substr(mark + 1));
  auto digest = oci::Digest::parse(std::string_view(note.value).substr(0, mark));
  if (!to || !tag || !from || !digest) return std::nullopt;
  return Candidate{{std::move(*from)}, std::move(*to), std::move(*tag), digest};
}

async::Task<std::vector<Candidate>> all_brought(SharedErrand errand) {
  std::vector<Candidate> all;
  for (std::string after;;) {
    const auto page = co_await errand->house.index.read([&](const index::View& view) {
      return index::notes(view, brought_scope(*errand), after, rows_at_once);
    });
    for (const auto& note : page) {
      if (auto one = read_brought(note)) all.push_back(std::move(*one));
    }
    if (page.size() < rows_at_once) co_return all;
    after = page.back().key;
  }
}

// Of what may have vanished the target is asked whether it still is what this rule brought.
async::Task<std::vector<Candidate>> brought_elsewhere(SharedErrand errand, const Survey& survey,
                                                      const Sources& known) {
  std::vector<Candidate> found;
  std::vector<Candidate> asked;
  std::vector<Named> names;
  for (auto& one : co_await all_brought(errand)) {
    for (auto& name : sources_of(*errand, known, one.to)) {
      if (name != one.from.front()) one.from.push_back(std::move(name));
    }
    if (!lack(survey, one)) {
      found.push_back(std::move(one));
      continue;
    }
    names.push_back({one.to, oci::Reference(one.tag)});
    asked.push_back(std::move(one));
  }
  const auto answers = co_await standings(errand, Side::target, std::move(names));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const bool same = answers[i] && answers[i]->digest == asked[i].digest;
    if (same) found.push_back(std::move(asked[i]));
  }
  co_return found;
}

// ---- all that is at the target ----------------------------------------------------------------

// Beside those the survey knows. What is mirrored here is its upstream's and no rule's.
async::Task<Names> repositories_of_target(SharedErrand errand) {
  if (errand->rule->into_here()) co_return co_await local_repositories(errand);
  if (!errand->rule->prefix()) co_return Names();
  auto catalog = co_await all_repositories(errand, errand->to.place);
  co_return catalog ? std::move(*catalog) : Names();
}

async::Task<std::vector<Candidate>> all_at_target(SharedErrand errand, const Sources& known) {
  Sources repositories;
  if (!errand->rule->into_here()) repositories = known;
  for (const auto& name : co_await repositories_of_target(errand)) {
    auto from = sources_of(*errand, known, name);
    if (!from.empty()) repositories.emplace(name, std::move(from));
  }
  std::vector<Candidate> found;
  for (const auto& [to, from] : repositories) {
    auto tags = co_await all_tags(errand, errand->to.place, to);
    for (auto& tag : tags.value_or(std::vector<oci::Tag>())) {
      if (errand->rule->covers(tag)) found.push_back({from, to, std::move(tag)});
    }
  }
  co_return found;
}

// What the survey says of tags of the target.
class Judge {
 public:
  Judge(const Rule& rule, const Survey& survey)
      : exact_(rule.deletions == Deletions::exact), survey_(survey) {
    for (const auto& found : survey.found) {
      if (found.tag) wanted_.emplace(found.repository, *found.tag);
    }
  }

  // Of the repositories it may be from those that lack it; absent when one of them has it and the
  // rule would bring it.
  std::optional<Names> lacking(const Candidate& candidate) const {
    Names lacking;
    for (const auto& name : candidate.from) {
      if (survey_.lacks(name, candidate.tag)) {
        lacking.push_back(name);
      } else if (!is_unwanted(name, candidate.tag)) {
        return std::nullopt;
      }
    }
    return lacking;
  }

 private:
  bool is_unwanted(const oci::RepositoryName& name, const oci::Tag& tag) const {
    const auto of_it = [&name](const Trouble& one) { return one.item.repository == name; };
    return exact_ && survey_.listed.contains(name) && !wanted_.contains({name, tag}) &&
           std::ranges::none_of(survey_.troubles, of_it) && !is_companion(tag);
  }

  const bool exact_;
  const Survey& survey_;
  std::set<std::pair<oci::RepositoryName, oci::Tag>> wanted_;
};

Removal removal_of(Candidate candidate, Names absent_from) {
  return {.item = {candidate.from.front(), candidate.tag.text()},
          .repository = std::move(candidate.to),
          .tag = std::move(candidate.tag),
          .digest = candidate.digest,
          .absent_from = std::move(absent_from)};
}

// What stands there now, of tags of which that is not known yet.
async::Task<> look_at(SharedErrand errand, Removals& found) {
  std::vector<Named> names;
  for (const auto& one : found.removals) {
    if (!one.digest) names.push_back({one.repository, oci::Reference(one.tag)});
  }
  if (names.empty()) co_return;
  const auto answers = co_await standings(errand, Side::target, std::move(names));
  auto answer = answers.begin();
  for (auto& one : found.removals) {
    if (one.digest) continue;
    if (*answer) one.digest = (*answer)->digest;
    if (!*answer) found.troubles.push_back({one.item, answer->error()});
    ++answer;
  }
  std::erase_if(found.removals, [](const Removal& one) { return !one.digest; });
}

}  // namespace

bool brought_here(const index::View& view, const Errand& errand,
                  const oci::RepositoryName& repository, const oci::Tag& tag) {
  const auto changes = index::tag_changes(view, repository, tag, 0, 1);
  return !changes.empty() && changes[0].cause == index::Cause::replication &&
         changes[0].who == errand.actor();
}

std::string Removals::sentence() const {
  return std::to_string(vanished) + " of " + std::to_string(covered) +
         " tags of this rule are gone at " + source +
         " at once; nothing was removed: run the rule by hand if that is right";
}

async::Task<Removals> find_removals(SharedErrand errand, const Survey& survey) {
  const auto& rule = errand->rule->rule();
  const auto known = known_targets(*errand, survey);
  std::vector<Candidate> candidates;
  if (rule.deletions == Deletions::exact) {
    candidates = co_await all_at_target(errand, known);
  } else if (errand->rule->into_here()) {
    candidates = co_await brought_to_here(errand, known);
  } else {
    candidates = co_await brought_elsewhere(errand, survey, known);
  }
  const Judge judge(rule, survey);
  Removals found{.covered = candidates.size(), .source = rule.from};
  for (auto& candidate : candidates) {
    auto lacking = judge.lacking(candidate);
    if (!lacking) continue;
    if (lacking->size() == candidate.from.size()) ++found.vanished;
    found.removals.push_back(removal_of(std::move(candidate), std::move(*lacking)));
  }
  co_await look_at(errand, found);
  co_return found;
}

async::Task<> note_brought(SharedErrand errand, Image image) {
  if (errand->rule->into_here() || image.tags.empty()) co_return;
  const auto value = image.digest.text() + " " + image.from.text();
  co_await errand->house.index.write([&](index::Batch& batch) {
    for (const auto& tag : image.tags) {
      index::set_note(batch, brought_scope(*errand), brought_key(image.to, tag), value);
    }
  });
}

async::Task<> forget_brought(SharedErrand errand, Removal removal) {
  if (errand->rule->into_here()) co_return;
  co_await errand->house.index.write([&](index::Batch& batch) {
    index::erase_note(batch, brought_scope(*errand), brought_key(removal.repository, removal.tag));
  });
}

}  // namespace entrepot::replication
