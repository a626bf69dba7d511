#include "replication/survey.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/oci/refusal.hpp"
#include "replication/companions.hpp"
#include "replication/crew.hpp"
#include "replication/questions.hpp"

namespace entrepot::replication {

namespace {

using registry::Answer;
using registry::FailureKind;

constexpr std::size_t lists_at_once = 16;

[[noreturn]] void refuse_catalog(const Errand& errand, const registry::Failure& failure) {
  const auto& from = errand.rule->rule().from;
  const bool refused = failure.kind == FailureKind::denied || failure.kind == FailureKind::absent;
  const std::string why =
      refused ? "; it gives no list of its repositories: name them in the rule, without wildcards"
              : "";
  throw oci::Refusal(refused ? oci::ErrorCode::upstream_failed : oci::ErrorCode::unavailable,
                     "the catalog of " + from + " could not be read: " + failure.message + why);
}

async::Task<std::vector<oci::RepositoryName>> repositories(SharedErrand errand) {
  if (errand->rule->named()) co_return *errand->rule->named();
  auto answer = co_await all_repositories(errand, errand->from.place);
  if (!answer) refuse_catalog(*errand, answer.error());
  co_return std::move(*answer);
}

class Surveyor {
 public:
  explicit Surveyor(SharedErrand errand) : errand_(std::move(errand)) {}

  async::Task<> list(std::vector<oci::RepositoryName> names);
  void choose(const Selection& selection);
  async::Task<> resolve();
  void add_companions();
  Survey take() { return std::move(survey_); }

  bool anything_open() const { return !open_.empty(); }
  void whole() { survey_.whole = !errand_->rule->named().has_value(); }

 private:
  async::Task<> list_one(oci::RepositoryName name);
  void choose_all(const oci::RepositoryName& name);
  void add_unversioned(const Named& name, const oci::Digest& digest);

  SharedErrand errand_;
  Survey survey_;
  std::vector<Named> open_;  // chosen, not resolved yet
};

async::Task<> Surveyor::list_one(oci::RepositoryName name) {
  auto tags = co_await all_tags(errand_, errand_->from.place, name);
  if (tags) {
    survey_.listed.emplace(name, std::set<oci::Tag>(tags->begin(), tags->end()));
    choose_all(name);
  } else if (tags.error().kind == FailureKind::absent) {
    survey_.listed.emplace(name, std::set<oci::Tag>());
  } else {
    survey_.troubles.push_back({{name, ""}, std::move(tags.error())});
  }
}

async::Task<> Surveyor::list(std::vector<oci::RepositoryName> names) {
  std::erase_if(names, [this](const auto& name) { return !errand_->rule->covers(name); });
  survey_.repositories += names.size();
  co_await side_by_side(names.size(), lists_at_once,
                        [&](std::size_t i) { return list_one(names[i]); });
}

void Surveyor::choose_all(const oci::RepositoryName& name) {
  const auto& rule = *errand_->rule;
  const auto& all = survey_.listed.at(name);
  std::vector<oci::Tag> tags(all.begin(), all.end());
  // Signatures are not the newest images.
  if (rule.rule().newest) std::erase_if(tags, is_companion);
  for (auto& tag : rule.choose(std::move(tags))) {
    open_.push_back({name, oci::Reference(std::move(tag))});
  }
}

void Surveyor::choose(const Selection& selection) {
  const auto& rule = *errand_->rule;
  for (const auto& [name, references] : selection) {
    for (const auto& text : references) {
      auto reference = oci::Reference::parse(text);
      if (!reference || !rule.covers(name)) continue;
      const auto* tag = reference->tag();
      if (tag != nullptr && !rule.covers(*tag) && !is_companion(*tag)) continue;
      open_.push_back({name, std::move(*reference)});
    }
  }
}

async::Task<> Surveyor::resolve() {
  const auto names = std::exchange(open_, {});
  auto answers = co_await standings(errand_, Side::source, names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& [repository, reference] = names[i];
    if (!answers[i]) {
      survey_.troubles.push_back({{repository, reference.text()}, answers[i].error()});
    } else if (answers[i]->digest && !answers[i]->version && errand_->rule->follows()) {
      add_unversioned(names[i], *answers[i]->digest);
    } else if (answers[i]->digest) {
      Found found{.repository = repository, .digest = *answers[i]->digest};
      if (reference.tag() != nullptr) found.tag = *reference.tag();
      const bool follows = errand_->rule->follows();
      if (found.tag || follows) found.version = answers[i]->version;
      if (follows) found.change = std::move(answers[i]->change);
      survey_.found.push_back(std::move(found));
    }
  }
}

// What a peer changed must not become a change of ours, which would beat its later ones. A manifest
// asked for by its digest comes with no row at all.
void Surveyor::add_unversioned(const Named& name, const oci::Digest& digest) {
  if (name.reference.tag() == nullptr) {
    survey_.found.push_back(
        {.repository = name.repository, .digest = digest, .version = index::Version{}});
    return;
  }
  registry::Failure failure{.kind = FailureKind::broken,
                            .message = "the peer's Journal says nothing of it"};
  survey_.troubles.push_back({{name.repository, name.reference.text()}, std::move(failure)});
}

void Surveyor::add_companions() {
  if (!errand_->rule->rule().referrers) return;
  std::set<std::pair<oci::RepositoryName, oci::Tag>> known;
  for (const auto& found : survey_.found) {
    if (found.tag) known.emplace(found.repository, *found.tag);
  }
  // Of what is tried again by itself no later run brings them along when the rule follows.
  const bool asks = errand_->rule->follows() && !errand_->rule->whole();
  for (const auto& found : survey_.found) {
    const auto tags = survey_.listed.find(found.repository);
    const bool listed = tags != survey_.listed.end();
    if (!listed && (!asks || !found.tag || is_companion(*found.tag))) continue;
    for (auto& tag : listed ? companions(tags->second, found.digest) : companions(found.digest)) {
      if (!known.emplace(found.repository, tag).second) continue;
      open_.push_back({found.repository, oci::Reference(std::move(tag))});
    }
  }
}

}  // namespace

bool Survey::lacks(const oci::RepositoryName& repository, const oci::Tag& tag) const {
  const auto tags = listed.find(repository);
  if (tags != listed.end()) return !tags->second.contains(tag);
  const auto in_trouble = [&repository](const Trouble& trouble) {
    return trouble.item.repository == repository;
  };
  return whole && std::ranges::none_of(troubles, in_trouble);
}

async::Task<Survey> survey(SharedErrand errand, std::optional<Selection> selection) {
  Surveyor surveyor(errand);
  if (selection) {
    std::vector<oci::RepositoryName> lists;
    for (const auto& [name, references] : *selection) {
      if (references.contains("") || references.empty()) lists.push_back(name);
    }
    co_await surveyor.list(std::move(lists));
    surveyor.choose(*selection);
  } else {
    co_await surveyor.list(co_await repositories(errand));
    surveyor.whole();
  }
  co_await surveyor.resolve();
  surveyor.add_companions();
  if (surveyor.anything_open()) co_await surveyor.resolve();
  co_return surveyor.take();
}

}  // namespace entrepot::replication
