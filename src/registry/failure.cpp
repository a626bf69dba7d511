#include "entrepot/registry/failure.hpp"

#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {

namespace {

oci::ErrorCode unknown(Subject what) {
  switch (what) {
    case Subject::repository:
      return oci::ErrorCode::name_unknown;
    case Subject::manifest:
      return oci::ErrorCode::manifest_unknown;
    case Subject::blob:
      return oci::ErrorCode::blob_unknown;
  }
  return oci::ErrorCode::name_unknown;
}

oci::ErrorCode code_for(FailureKind kind, Subject what) {
  switch (kind) {
    case FailureKind::absent:
    // Told never to ask, we cannot know whether there is such a thing. 404 is what makes every
    // client move on to the next registry at once (clients.md section 5.6).
    case FailureKind::offline:
      return unknown(what);
    case FailureKind::denied:
      return oci::ErrorCode::denied;
    case FailureKind::throttled:
      return oci::ErrorCode::too_many_requests;
    case FailureKind::timeout:
      return oci::ErrorCode::upstream_timeout;
    case FailureKind::broken:
      return oci::ErrorCode::upstream_failed;
    case FailureKind::busy:
      return oci::ErrorCode::unavailable;
  }
  return oci::ErrorCode::upstream_failed;
}

}  // namespace

std::string_view to_string(FailureKind kind) {
  switch (kind) {
    case FailureKind::absent:
      return "absent";
    case FailureKind::denied:
      return "denied";
    case FailureKind::throttled:
      return "throttled";
    case FailureKind::timeout:
      return "timeout";
    case FailureKind::broken:
      return "broken";
    case FailureKind::offline:
      return "offline";
    case FailureKind::busy:
      return "busy";
  }
  return "broken";
}

void refuse(const Failure& failure, Subject what) {
  oci::Refusal refusal(code_for(failure.kind, what), failure.message);
  refusal.retry_after = failure.retry_after;
  throw refusal;
}

}  // namespace entrepot::registry
