#include "entrepot/registry/policy.hpp"

#include <algorithm>
#include <utility>

namespace entrepot::registry {

struct Policy::Compiled {
  struct Immutable {
    base::GlobSet repositories;
    base::GlobSet tags;
  };
  std::vector<Immutable> immutable;
  std::vector<base::GlobSet> quotas;
};

Policy::Policy(PolicyOptions options) : options_(std::move(options)) {
  auto compiled = std::make_unique<Compiled>();
  for (const auto& rule : options_.immutable) {
    compiled->immutable.push_back({base::GlobSet(rule.repositories), base::GlobSet(rule.tags)});
  }
  for (const auto& quota : options_.quotas) {
    compiled->quotas.emplace_back(quota.repositories);
  }
  compiled_ = std::move(compiled);
}

Policy::~Policy() = default;

bool Policy::is_immutable(const oci::RepositoryName& repository, const oci::Tag& tag) const {
  return std::ranges::any_of(compiled_->immutable, [&](const Compiled::Immutable& rule) {
    return rule.tags.matches(tag.text()) && rule.repositories.matches(repository.text());
  });
}

std::vector<std::size_t> Policy::quotas_of(const oci::RepositoryName& repository) const {
  std::vector<std::size_t> found;
  for (std::size_t quota = 0; quota < compiled_->quotas.size(); ++quota) {
    if (counts(quota, repository)) found.push_back(quota);
  }
  return found;
}

bool Policy::counts(std::size_t quota, const oci::RepositoryName& repository) const {
  return compiled_->quotas[quota].matches(repository.text());
}

}  // namespace entrepot::registry
