// A rule, read once and found to be one that can be obeyed. Immutable; shared by threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/replication/rule.hpp"
#include "replication/cron.hpp"
#include "replication/patterns.hpp"
#include "replication/renaming.hpp"
#include "replication/windows.hpp"

namespace entrepot::replication {

class CompiledRule {
 public:
  // Throws std::invalid_argument with a sentence for the operator.
  explicit CompiledRule(Rule rule);

  const Rule& rule() const { return rule_; }
  const std::string& name() const { return rule_.name; }

  // By the source's name of a repository.
  bool covers(const oci::RepositoryName& repository) const;
  // By patterns; `newest` looks at all tags of a repository, see choose().
  bool covers(const oci::Tag& tag) const;
  // A row of the source's Journal: of a tag the rule means, of a manifest itself, or of what
  // belongs to an image by its name.
  bool covers(const index::Change& change) const;
  // Of all the tags of a repository those the rule means.
  std::vector<oci::Tag> choose(std::vector<oci::Tag> tags) const;

  // What a repository is called at the target; absent when the template makes no name of it.
  std::optional<oci::RepositoryName> target(const oci::RepositoryName& repository) const {
    return renaming_.apply(repository);
  }
  // The source's name of a repository of the target; only where the template is a plain prefix.
  std::optional<oci::RepositoryName> source_of(const oci::RepositoryName& target) const;
  // What the template puts in front, when that is all it does.
  const std::optional<std::string>& prefix() const { return renaming_.prefix(); }

  // The repositories, when the rule names them one by one.
  const std::optional<std::vector<oci::RepositoryName>>& named() const {
    return repositories_.plain();
  }
  // Of the repositories it covers it takes everything: every tag, platform and referrer.
  bool whole() const;
  // Globs of the repositories, when the rule says no more of them, takes every tag, and renames by
  // a prefix or not at all: what two sites may compare summaries of.
  std::optional<std::vector<std::string>> summarized() const;

  bool follows() const { return std::holds_alternative<Follow>(rule_.when); }
  bool into_here() const { return rule_.to == here; }
  const Windows& windows() const { return windows_; }
  // When it is due after a run that began at `last` (absent: it never ran); absent: nobody but a
  // person starts it, or it follows.
  std::optional<base::WallTime> due(std::optional<base::WallTime> last, base::WallTime now) const;

 private:
  Rule rule_;
  NameFilter repositories_;
  NameFilter without_repositories_;
  TagFilter tags_;
  TagFilter without_tags_;
  Renaming renaming_;
  Windows windows_;
  std::optional<CronTime> cron_;
};

}  // namespace entrepot::replication
