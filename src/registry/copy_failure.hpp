// How a walk ends early: leaves it for copy(), which returns the failure.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "entrepot/oci/digest.hpp"
#include "entrepot/registry/failure.hpp"

namespace entrepot::registry {

class CopyFailure : public std::exception {
 public:
  // `what`: the thing it was about, for people. `whose`: unless the failure itself says.
  // `missing`: the manifest that is not there.
  CopyFailure(const std::string& what, Failure why, Whose whose,
              std::optional<oci::Digest> missing_manifest = {})
      : failure(std::move(why)), missing(missing_manifest) {
    failure.message = what + ": " + failure.message;
    if (failure.whose == Whose::unknown) failure.whose = whose;
  }
  const char* what() const noexcept override { return failure.message.c_str(); }

  Failure failure;
  std::optional<oci::Digest> missing;
};

}  // namespace entrepot::registry
