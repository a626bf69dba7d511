#include "replication/compiled_rule.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "replication/companions.hpp"
#include "replication/order.hpp"

namespace entrepot::replication {

namespace {

void require(bool holds, const char* sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

bool platform(const std::string& text) {
  const auto slashes = std::ranges::count(text, '/');
  return slashes >= 1 && slashes <= 2 && !text.starts_with('/') && !text.ends_with('/') &&
         text.find("//") == text.npos;
}

void require_sense(const Rule& rule) {
  const auto odd = [](char c) { return c <= ' ' || c > '~'; };
  require(!rule.name.empty() && rule.name.size() <= 64 && std::ranges::none_of(rule.name, odd),
          "a rule has a name of at most 64 characters without blanks");
  require(rule.from != rule.to, "a rule goes from one place to another");
  require(!rule.repositories.empty(), "a rule names repositories; \"**\" are all of them");
  require(!rule.tags.empty(), "a rule names tags; \"*\" are all of them");
  require(!rule.newest || rule.newest->count > 0, "newest is 1 or more");
  require(std::ranges::all_of(rule.platforms, platform),
          "a platform is os/architecture or os/architecture/variant");
  const auto* every = std::get_if<Every>(&rule.when);
  require(every == nullptr || every->interval >= std::chrono::seconds(1),
          "an interval is at least a second");
  require(rule.limits.bytes_per_second != 0 && rule.limits.requests_per_second != 0,
          "a limit is 1 a second or more");
}

// Wishes that only some rules can fulfil.
void require_fit(const Rule& rule) {
  const bool follows = std::holds_alternative<Follow>(rule.when);
  require(rule.to == here || rule.conflict != Conflict::target,
          "conflict: target needs `to: here`, where it is known who changed a tag last");
  require(!follows || rule.to == here, "a rule that follows a peer's Journal has `to: here`");
  require(!follows || !rule.newest, "a rule that follows cannot count the newest tags");
  require(rule.from != in_bundles, "what a bundle holds is applied by `entrepot bundle apply`");
  require(rule.to != in_bundles || std::holds_alternative<OnDemand>(rule.when),
          "a rule `to: bundle` only says what goes into bundles: it has no `when`");
  require(rule.to != in_bundles || rule.deletions == Deletions::keep ||
              (rule.deletions == Deletions::follow && rule.from == here),
          "a bundle can carry the deletions of here (`from: here`, `deletions: follow`); what else "
          "its receiver has nobody knows when it is made");
  if (!rule.pulled_within) return;
  require(rule.from != here && rule.to == here && !follows && rule.deletions == Deletions::keep,
          "a rule for tags that were pulled lately goes from an upstream to here, deletes nothing "
          "and does not follow");
  require(rule.rename == "{repository}", "a rule for tags that were pulled lately renames nothing");
}

}  // namespace

CompiledRule::CompiledRule(Rule rule)
    : rule_((require_sense(rule), require_fit(rule), std::move(rule))),
      repositories_(rule_.repositories),
      without_repositories_(rule_.without_repositories),
      tags_(rule_.tags),
      without_tags_(rule_.without_tags),
      renaming_(rule_.rename),
      windows_(rule_.windows) {
  if (const auto* cron = std::get_if<Cron>(&rule_.when)) cron_.emplace(cron->expression);
}

bool CompiledRule::covers(const oci::RepositoryName& repository) const {
  return repositories_.matches(repository) && !without_repositories_.matches(repository);
}

bool CompiledRule::covers(const oci::Tag& tag) const {
  return tags_.matches(tag) && !without_tags_.matches(tag);
}

bool CompiledRule::covers(const index::Change& change) const {
  if (!covers(change.repository)) return false;
  if (!change.tag || covers(*change.tag)) return true;
  return rule_.referrers && is_companion(*change.tag);
}

std::vector<oci::Tag> CompiledRule::choose(std::vector<oci::Tag> tags) const {
  std::erase_if(tags, [this](const oci::Tag& tag) { return !covers(tag); });
  return rule_.newest ? newest(std::move(tags), rule_.newest->count) : tags;
}

std::optional<oci::RepositoryName> CompiledRule::source_of(
    const oci::RepositoryName& target) const {
  if (!prefix() || !target.text().starts_with(*prefix())) return std::nullopt;
  return oci::RepositoryName::parse(target.text().substr(prefix()->size()));
}

bool CompiledRule::whole() const {
  return rule_.without_tags.empty() && tags_.everything() && !rule_.newest &&
         rule_.platforms.empty() && rule_.referrers;
}

std::optional<std::vector<std::string>> CompiledRule::summarized() const {
  if (!whole() || !rule_.without_repositories.empty() || !prefix()) return std::nullopt;
  return repositories_.globs();
}

std::optional<base::WallTime> CompiledRule::due(std::optional<base::WallTime> last,
                                                base::WallTime now) const {
  if (const auto* every = std::get_if<Every>(&rule_.when)) {
    return last ? std::max(*last + every->interval, now) : now;
  }
  if (cron_) return cron_->next(now);
  return std::nullopt;
}

void check(const Rule& rule) { const CompiledRule compiled(rule); }

}  // namespace entrepot::replication
