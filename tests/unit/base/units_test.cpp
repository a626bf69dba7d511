#include "entrepot/base/units.hpp"

#include <gtest/gtest.h>

namespace entrepot::base {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST(Duration, needs_a_unit_except_for_zero) {
  const std::pair<const char*, std::optional<milliseconds>> rows[] = {
      {"500ms", 500ms},
      {"10s", 10s},
      {"5m", 5min},
      {"2h", 2h},
      {"7d", 168h},
      {"0", 0ms},
      {"0s", 0ms},
      {"007s", 7s},
      {"36524d", std::chrono::days(36524)},
      {"36525d", std::nullopt},
      {"18446744073709551615d", std::nullopt},
      {"99999999999999999999s", std::nullopt},
      {"10", std::nullopt},
      {"", std::nullopt},
      {"s", std::nullopt},
      {"-1s", std::nullopt},
      {"+1s", std::nullopt},
      {" 1s", std::nullopt},
      {"1 s", std::nullopt},
      {"1s ", std::nullopt},
      {"1.5s", std::nullopt},
      {"1S", std::nullopt},
      {"1w", std::nullopt},
      {"1h30m", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_duration(text), expected) << text;
}

TEST(Size, takes_binary_units) {
  const std::pair<const char*, std::optional<std::uint64_t>> rows[] = {
      {"0", 0},
      {"4096", 4096},
      {"64KiB", 65536},
      {"4MiB", 4194304},
      {"1GiB", 1073741824},
      {"2TiB", 2199023255552},
      {"9223372036854775807", 9223372036854775807U},
      {"9223372036854775808", std::nullopt},
      {"8388608TiB", std::nullopt},
      {"8388607TiB", 9223370937343148032U},
      {"", std::nullopt},
      {"KiB", std::nullopt},
      {"1KB", std::nullopt},
      {"1kib", std::nullopt},
      {"1K", std::nullopt},
      {"-1", std::nullopt},
      {"0x10", std::nullopt},
      {"1.5GiB", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_size(text), expected) << text;
}

TEST(Unsigned, is_digits_only) {
  const std::pair<const char*, std::optional<std::uint64_t>> rows[] = {
      {"0", 0},
      {"00012", 12},
      {"18446744073709551615", 18446744073709551615U},
      {"18446744073709551616", std::nullopt},
      {"", std::nullopt},
      {"-0", std::nullopt},
      {"+1", std::nullopt},
      {" 1", std::nullopt},
      {"1 ", std::nullopt},
      {"1e3", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_unsigned(text), expected) << text;
}

}  // namespace
}  // namespace entrepot::base
