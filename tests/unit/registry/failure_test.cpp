#include "entrepot/registry/failure.hpp"

#include <gtest/gtest.h>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry::failure_test {
namespace {

using oci::ErrorCode;

oci::Refusal refusal_for(const Failure& failure, Subject what) {
  try {
    refuse(failure, what);
  } catch (const oci::Refusal& refusal) {
    return refusal;
  }
  return oci::Refusal(ErrorCode::internal);
}

// Rows: C-12, N-04
TEST(Failure, each_kind_has_its_answer) {
  struct Row {
    FailureKind kind;
    Subject what;
    ErrorCode code;
    int status;
  };
  for (const auto& row : {
           Row{FailureKind::absent, Subject::repository, ErrorCode::name_unknown, 404},
           Row{FailureKind::absent, Subject::manifest, ErrorCode::manifest_unknown, 404},
           Row{FailureKind::absent, Subject::blob, ErrorCode::blob_unknown, 404},
           Row{FailureKind::denied, Subject::manifest, ErrorCode::denied, 403},
           Row{FailureKind::throttled, Subject::blob, ErrorCode::too_many_requests, 429},
           Row{FailureKind::timeout, Subject::blob, ErrorCode::upstream_timeout, 504},
           Row{FailureKind::broken, Subject::blob, ErrorCode::upstream_failed, 502},
           Row{FailureKind::busy, Subject::blob, ErrorCode::unavailable, 503},
           Row{FailureKind::offline, Subject::manifest, ErrorCode::manifest_unknown, 404},
       }) {
    const auto refusal = refusal_for({.kind = row.kind, .message = "why"}, row.what);
    EXPECT_EQ(refusal.code, row.code) << to_string(row.kind);
    EXPECT_EQ(oci::error_row(refusal.code).status, row.status) << to_string(row.kind);
    EXPECT_EQ(refusal.detail, "why");
  }
}

// Rows: N-03
TEST(Failure, how_long_to_wait_reaches_the_client) {
  const Failure failure{.kind = FailureKind::throttled,
                        .message = "slow down",
                        .retry_after = std::chrono::seconds(42)};
  EXPECT_EQ(refusal_for(failure, Subject::manifest).retry_after, std::chrono::seconds(42));
}

}  // namespace
}  // namespace entrepot::registry::failure_test
