#include "upstream/setback.hpp"

#include <gtest/gtest.h>

namespace entrepot::upstream::setback_test {
namespace {

using registry::FailureKind;
using std::chrono::seconds;

// 2026-11-21 00:00:00 UTC
const base::WallTime now{seconds(1'795'219'200)};

struct StatusCase {
  int status;
  FailureKind kind;
  Again again;
  Blame blame;
};

// Rows: C-12, N-04
TEST(Setback, classifies_statuses) {
  const StatusCase cases[] = {
      {404, FailureKind::absent, Again::is_pointless, Blame::nobody},
      {410, FailureKind::absent, Again::is_pointless, Blame::nobody},
      {401, FailureKind::denied, Again::is_pointless, Blame::nobody},
      {403, FailureKind::denied, Again::is_pointless, Blame::nobody},
      {451, FailureKind::denied, Again::is_pointless, Blame::nobody},
      {429, FailureKind::throttled, Again::is_pointless, Blame::nobody},
      {400, FailureKind::broken, Again::is_pointless, Blame::nobody},
      {405, FailureKind::broken, Again::is_pointless, Blame::nobody},
      {416, FailureKind::broken, Again::is_pointless, Blame::nobody},
      {408, FailureKind::broken, Again::may_help, Blame::nobody},
      {500, FailureKind::broken, Again::may_help, Blame::nobody},
      {501, FailureKind::broken, Again::is_pointless, Blame::nobody},
      {502, FailureKind::broken, Again::may_help, Blame::server},
      {503, FailureKind::broken, Again::may_help, Blame::server},
      {504, FailureKind::broken, Again::may_help, Blame::server},
      {204, FailureKind::broken, Again::is_pointless, Blame::nobody},
      {304, FailureKind::broken, Again::is_pointless, Blame::nobody},
  };
  for (const auto& each : cases) {
    const auto setback = of_status(each.status, {}, now);
    ASSERT_TRUE(setback) << each.status;
    EXPECT_EQ(setback->failure.kind, each.kind) << each.status;
    EXPECT_EQ(setback->again, each.again) << each.status;
    EXPECT_EQ(setback->blame, each.blame) << each.status;
  }
  EXPECT_FALSE(of_status(200, {}, now));
  EXPECT_FALSE(of_status(206, {}, now));
}

struct WaitCase {
  std::optional<std::string_view> header;
  int expected;
};

// Rows: N-03
TEST(Setback, reads_retry_after_and_caps_it) {
  const WaitCase cases[] = {
      {std::nullopt, 10},
      {"5", 5},
      {"0", 1},
      {"600", 600},
      {"601", 600},
      {"1000000000", 600},
      {"99999999999999999999999", 600},
      {"-5", 10},
      {"", 10},
      {"soon", 10},
      {"Sat, 21 Nov 2026 00:00:30 GMT", 30},
      {"Sat, 21 Nov 2026 02:00:00 GMT", 600},
      {"Fri, 20 Nov 2026 00:00:00 GMT", 1},
      {"Sat, 21 Nov 2026 00:00:30 GMT trailing", 10},
  };
  for (const auto& each : cases)
    EXPECT_EQ(wait_asked_for(each.header, now), seconds(each.expected)) << each.header.value_or("");
}

// Rows: N-01
TEST(Setback, classifies_transport_errors) {
  using enum http::TransportErrorKind;
  EXPECT_EQ(of_transport({timeout, ""}).failure.kind, FailureKind::timeout);
  EXPECT_EQ(of_transport({timeout, ""}).again, Again::is_pointless);
  EXPECT_EQ(of_transport({connect, ""}).again, Again::may_help);
  EXPECT_EQ(of_transport({resolve, ""}).again, Again::may_help);
  EXPECT_EQ(of_transport({broken, ""}).again, Again::may_help);
  EXPECT_EQ(of_transport({tls, ""}).again, Again::is_pointless);
  EXPECT_EQ(of_transport({refused_address, ""}).again, Again::is_pointless);
  EXPECT_EQ(of_transport({refused_address, ""}).blame, Blame::nobody);
}

}  // namespace
}  // namespace entrepot::upstream::setback_test
