// What a caller may see of a scope, and by which names: pure.
#pragma once

#include <optional>
#include <string>

#include "entrepot/base/glob.hpp"
#include "entrepot/registry/feed.hpp"

namespace entrepot::registry {

class FeedView {
 public:
  // Throws std::invalid_argument when a glob cannot be read.
  FeedView(const FeedScope& scope, Visible visible);

  // The name the caller uses for a repository here; absent when he does not see it.
  std::optional<oci::RepositoryName> told(const oci::RepositoryName& here) const;
  // And back.
  std::optional<oci::RepositoryName> meant(const oci::RepositoryName& told) const;
  // What names here begin with.
  const std::string& prefix() const { return prefix_; }

 private:
  const base::GlobSet repositories_;
  const std::string prefix_;
  const Visible visible_;
};

}  // namespace entrepot::registry
