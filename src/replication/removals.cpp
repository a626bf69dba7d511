#include "replication/removals.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/index/notes.hpp"
#include "replication/companions.hpp"
#include "replication/questions.hpp"

namespace entrepot::replication {

namespace {

constexpr std::size_t rows_at_once = 256;

// A tag of the target this rule may answer for.
struct Candidate {
  oci::RepositoryName from;
  oci::RepositoryName to;
  oci::Tag tag;
};

std::string brought_scope(const Errand& errand) { return "replication brought " + errand.name(); }
std::string brought_key(const oci::RepositoryName& repository, const oci::Tag& tag) {
  return repository.text() + " " + tag.text();
}

// By the target's name of a repository, where the survey knows it or the rename says it.
std::optional<oci::RepositoryName> source_of(
    const Errand& errand, const std::map<oci::RepositoryName, oci::RepositoryName>& known,
    const oci::RepositoryName& target) {
  const auto found = known.find(target);
  if (found != known.end()) return found->second;
  auto name = errand.rule->source_of(target);
  return name && errand.rule->covers(*name) ? name : std::nullopt;
}

std::map<oci::RepositoryName, oci::RepositoryName> known_targets(const Errand& errand,
                                                                 const Survey& survey) {
  std::map<oci::RepositoryName, oci::RepositoryName> known;
  for (const auto& [name, tags] : survey.listed) {
    if (auto target = errand.rule->target(name)) known.emplace(std::move(*target), name);
  }
  return known;
}

// ---- what this rule brought to `here` ---------------------------------------------------------

bool brought_here(const index::View& view, const std::string& actor,
                  const oci::RepositoryName& repository, const oci::Tag& tag) {
  const auto changes = index::tag_changes(view, repository, tag, 0, 1);
  return !changes.empty() && changes[0].cause == index::Cause::replication &&
         changes[0].who == actor;
}

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
  std::vector<oci::Tag> brought;
  std::string after{};
  bool more = false;
};

TagsSeen see_tags(const index::View& view, const std::string& actor,
                  const oci::RepositoryName& repository, const std::string& after) {
  TagsSeen seen;
  for (auto& tag : index::tags(view, repository, after, rows_at_once)) {
    seen.after = tag.text();
    seen.more = true;
    if (brought_here(view, actor, repository, tag)) seen.brought.push_back(std::move(tag));
  }
  return seen;
}

async::Task<std::vector<Candidate>> brought_to_here(
    SharedErrand errand, const std::map<oci::RepositoryName, oci::RepositoryName>& known) {
  std::vector<Candidate> found;
  for (const auto& to : co_await local_repositories(errand)) {
    const auto from = source_of(*errand, known, to);
    if (!from) continue;
    TagsSeen seen{.brought = {}, .after = {}, .more = true};
    while (seen.more) {
      seen = co_await errand->house.index.read(
          [&](const index::View& view) { return see_tags(view, errand->actor(), to, seen.after); });
      for (auto& tag : seen.brought) found.push_back({*from, to, std::move(tag)});
      co_await async::give_way();
    }
  }
  co_return found;
}

// ---- what this rule brought elsewhere ---------------------------------------------------------

struct Brought {
  Candidate candidate;
  std::string digest;
};

std::optional<Brought> read_brought(const index::Note& note) {
  const auto blank = note.key.find(' ');
  const auto mark = note.value.find(' ');
  if (blank == note.key.npos || mark == note.value.npos) return std::nullopt;
  auto to = oci::RepositoryName::parse(std::string_view(note.key).substr(0, blank));
  auto tag = oci::Tag::parse(std::string_view(note.key).substr(blank + 1));
  auto from = oci::RepositoryName::parse(std::string_view(note.value).substr(mark + 1));
  if (!to || !tag || !from) return std::nullopt;
  return Brought{{std::move(*from), std::move(*to), std::move(*tag)}, note.value.substr(0, mark)};
}

async::Task<std::vector<Brought>> all_brought(SharedErrand errand) {
  std::vector<Brought> all;
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
async::Task<std::vector<Candidate>> brought_elsewhere(SharedErrand errand, const Survey& survey) {
  std::vector<Candidate> found;
  std::vector<Brought> asked;
  std::vector<Named> names;
  for (auto& one : co_await all_brought(errand)) {
    if (!survey.lacks(one.candidate.from, one.candidate.tag)) {
      found.push_back(std::move(one.candidate));
      continue;
    }
    names.push_back({one.candidate.to, oci::Reference(one.candidate.tag)});
    asked.push_back(std::move(one));
  }
  const auto answers = co_await standings(errand, Side::target, std::move(names));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const bool same =
        answers[i] && answers[i]->digest && answers[i]->digest->text() == asked[i].digest;
    if (same) found.push_back(std::move(asked[i].candidate));
  }
  co_return found;
}

// ---- all that is at the target ----------------------------------------------------------------

async::Task<std::vector<Candidate>> all_at_target(
    SharedErrand errand, const std::map<oci::RepositoryName, oci::RepositoryName>& known) {
  std::map<oci::RepositoryName, oci::RepositoryName> repositories = known;
  if (errand->rule->prefix()) {
    auto catalog = co_await all_repositories(errand, errand->to.place);
    for (const auto& name : catalog.value_or(std::vector<oci::RepositoryName>())) {
      if (auto from = source_of(*errand, known, name)) repositories.emplace(name, std::move(*from));
    }
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

Removal removal_of(Candidate candidate, bool to_be_confirmed) {
  return {.item = {candidate.from, candidate.tag.text()},
          .repository = std::move(candidate.to),
          .tag = std::move(candidate.tag),
          .to_be_confirmed = to_be_confirmed};
}

}  // namespace

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
    candidates = co_await brought_elsewhere(errand, survey);
  }
  std::set<std::pair<oci::RepositoryName, oci::Tag>> wanted;
  for (const auto& found : survey.found) {
    if (found.tag) wanted.emplace(found.repository, *found.tag);
  }
  const auto in_trouble = [&survey](const Candidate& candidate) {
    return std::ranges::any_of(survey.troubles, [&](const Trouble& trouble) {
      return trouble.item.repository == candidate.from;
    });
  };
  Removals found{.covered = candidates.size(), .source = rule.from};
  for (auto& candidate : candidates) {
    if (survey.lacks(candidate.from, candidate.tag)) {
      ++found.vanished;
      found.removals.push_back(removal_of(std::move(candidate), true));
    } else if (rule.deletions == Deletions::exact && survey.listed.contains(candidate.from) &&
               !wanted.contains({candidate.from, candidate.tag}) && !in_trouble(candidate) &&
               !is_companion(candidate.tag)) {
      found.removals.push_back(removal_of(std::move(candidate), false));
    }
  }
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
