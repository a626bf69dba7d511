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

FailureKind kind_of(oci::ErrorCode code) {
  switch (code) {
    case oci::ErrorCode::blob_unknown:
    case oci::ErrorCode::manifest_unknown:
    case oci::ErrorCode::name_unknown:
    case oci::ErrorCode::not_found:
      return FailureKind::absent;
    case oci::ErrorCode::denied:
    case oci::ErrorCode::unauthorized:
    case oci::ErrorCode::unsupported:
      return FailureKind::denied;
    case oci::ErrorCode::too_many_requests:
      return FailureKind::throttled;
    case oci::ErrorCode::upstream_timeout:
      return FailureKind::timeout;
    case oci::ErrorCode::unavailable:
      return FailureKind::busy;
    default:
      return FailureKind::broken;
  }
}

std::string words_of(const oci::Refusal& refusal) {
  const auto& row = oci::error_row(refusal.code);
  if (refusal.detail.empty()) return std::string(row.message);
  // Some details are but the name of the thing.
  const bool sentence = refusal.detail.find(' ') != std::string::npos;
  return sentence ? refusal.detail : std::string(row.message) + ": " + refusal.detail;
}

}  // namespace

Failure failure_of(const oci::Refusal& refusal) {
  return {.kind = kind_of(refusal.code),
          .message = words_of(refusal),
          .retry_after = refusal.retry_after};
}

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
