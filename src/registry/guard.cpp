#include "registry/guard.hpp"

#include "entrepot/index/catalog.hpp"

namespace entrepot::registry {

void check_local(const index::View& view, const oci::RepositoryName& repository) {
  if (index::repository_kind(view, repository) != index::RepositoryKind::mirrored) return;
  oci::Refusal refusal(oci::ErrorCode::unsupported, "mirrored repositories are read-only");
  refusal.allow = "GET, HEAD";
  throw refusal;
}

}  // namespace entrepot::registry
