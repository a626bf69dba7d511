#include "mirror/context.hpp"

namespace entrepot::mirror {

std::string key_of(const oci::RepositoryName& repository, const oci::Reference& reference) {
  return repository.text() + (reference.digest() ? "@" : ":") + reference.text();
}

registry::Failure offline_failure(const Context& context) {
  return {.kind = registry::FailureKind::offline,
          .message = "not held here, and " + context.options.name + " is set offline"};
}

void remember_absent(Context& context, const std::string& key, const registry::Failure& failure) {
  if (failure.kind != registry::FailureKind::absent) return;
  context.negative.remember(key, failure, context.steady(), context.options.freshness.negative);
}

}  // namespace entrepot::mirror
