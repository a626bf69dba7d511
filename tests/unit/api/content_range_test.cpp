#include "api/content_range.hpp"

#include <gtest/gtest.h>

namespace entrepot::api::content_range_test {
namespace {

// Rows: P-08
TEST(ContentRange, is_read_or_refused) {
  struct {
    std::string_view text;
    std::optional<PieceRange> range;
  } const cases[] = {
      {"0-0", PieceRange{0, 1}},
      {"0-9", PieceRange{0, 10}},
      {"10-19", PieceRange{10, 10}},
      {"bytes 10-19/*", PieceRange{10, 10}},
      {"bytes 10-19/100", PieceRange{10, 10}},
      {"0-18446744073709551614", PieceRange{0, 18446744073709551615U}},
      {"", {}},
      {"-", {}},
      {"5-", {}},
      {"-5", {}},
      {"a-b", {}},
      {"9-3", {}},
      {"+1-3", {}},
      {"1 - 3", {}},
      {"1-3-5", {}},
      {"0-18446744073709551615", {}},
      {"0-99999999999999999999", {}},
      {"bytes=0-9", {}},
      {"bytes ", {}},
  };
  for (const auto& each : cases) EXPECT_EQ(parse_content_range(each.text), each.range) << each.text;
}

}  // namespace
}  // namespace entrepot::api::content_range_test
