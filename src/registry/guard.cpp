#include "registry/guard.hpp"

#include "entrepot/index/catalog.hpp"

namespace entrepot::registry {

void check_local(const index::View& view, const oci::RepositoryName& repository) {
  if (index::claimed_as(view, repository) != index::RepositoryKind::mirrored) return;
  oci::Refusal refusal(oci::ErrorCode::unsupported, "mirrored repositories are read-only");
  refusal.allow = "GET, HEAD";
  throw refusal;
}

}  // namespace entrepot::registry
