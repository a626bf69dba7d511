#include "mirror/trouble.hpp"

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::mirror {

namespace {

registry::FailureKind kind_of(oci::ErrorCode code) {
  switch (code) {
    case oci::ErrorCode::upstream_timeout:
      return registry::FailureKind::timeout;
    case oci::ErrorCode::too_many_requests:
      return registry::FailureKind::throttled;
    case oci::ErrorCode::denied:
    case oci::ErrorCode::unauthorized:
      return registry::FailureKind::denied;
    case oci::ErrorCode::unavailable:
      return registry::FailureKind::busy;
    default:
      return registry::FailureKind::broken;
  }
}

}  // namespace

registry::Failure failure_of(const std::exception& error) {
  if (const auto* refusal = dynamic_cast<const oci::Refusal*>(&error)) {
    return {.kind = kind_of(refusal->code),
            .message = refusal->detail,
            .retry_after = refusal->retry_after};
  }
  base::log::warn("transfer failed", {{"error", error.what()}});
  return {.kind = registry::FailureKind::broken, .message = "the transfer broke off"};
}

}  // namespace entrepot::mirror
