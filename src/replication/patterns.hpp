// Which names a rule means: globs, regular expressions of the whole name, ranges of versions.
// Immutable after construction, which throws std::invalid_argument naming what cannot be read;
// matching is linear in the name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/glob.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/replication/rule.hpp"
#include "replication/version_range.hpp"

namespace entrepot::replication {

class Expressions;

class NameFilter {
 public:
  explicit NameFilter(const std::vector<NamePattern>& patterns);
  ~NameFilter();
  NameFilter(NameFilter&&) noexcept;

  bool matches(const oci::RepositoryName& name) const;
  // The names themselves, when no pattern has a wildcard: then nobody needs a catalog.
  const std::optional<std::vector<oci::RepositoryName>>& plain() const { return plain_; }
  // The globs, when there is nothing else.
  const std::optional<std::vector<std::string>>& globs() const { return globs_; }

 private:
  base::GlobSet set_;
  std::unique_ptr<const Expressions> expressions_;
  std::optional<std::vector<oci::RepositoryName>> plain_;
  std::optional<std::vector<std::string>> globs_;
};

class TagFilter {
 public:
  explicit TagFilter(const std::vector<TagPattern>& patterns);
  ~TagFilter();
  TagFilter(TagFilter&&) noexcept;

  bool matches(const oci::Tag& tag) const;
  bool everything() const { return everything_; }

 private:
  base::GlobSet set_;
  std::unique_ptr<const Expressions> expressions_;
  std::vector<VersionRange> ranges_;
  bool everything_ = false;
};

}  // namespace entrepot::replication
