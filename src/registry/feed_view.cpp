#include "registry/feed_view.hpp"

#include <utility>

namespace entrepot::registry {

FeedView::FeedView(const FeedScope& scope, Visible visible)
    : repositories_(scope.repositories), prefix_(scope.prefix), visible_(std::move(visible)) {}

std::optional<oci::RepositoryName> FeedView::told(const oci::RepositoryName& here) const {
  const std::string_view text = here.text();
  if (!text.starts_with(prefix_) || !repositories_.matches(text.substr(prefix_.size()))) {
    return std::nullopt;
  }
  if (visible_ && !visible_(here)) return std::nullopt;
  return oci::RepositoryName::parse(text.substr(prefix_.size()));
}

std::optional<oci::RepositoryName> FeedView::meant(const oci::RepositoryName& told_name) const {
  auto here = oci::RepositoryName::parse(prefix_ + std::string(told_name.text()));
  return here && told(*here) ? std::move(here) : std::nullopt;
}

}  // namespace entrepot::registry
