#include "entrepot/base/units.hpp"

#include <gtest/gtest.h>

namespace entrepot::base::units_test {
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

TEST(Rate, takes_bytes_and_bits_a_second) {
  const std::pair<const char*, std::optional<std::uint64_t>> rows[] = {
      {"5MB/s", 5'000'000},
      {"5MiB/s", 5'242'880},
      {"500kB/s", 500'000},
      {"64KiB/s", 65'536},
      {"2GB/s", 2'000'000'000},
      {"1GiB/s", 1'073'741'824},
      {"100B/s", 100},
      {"40Mbit/s", 5'000'000},
      {"64kbit/s", 8'000},
      {"1Gbit/s", 125'000'000},
      {"9bit/s", 1},
      {"0B/s", 0},
      {"5MB", std::nullopt},
      {"5", std::nullopt},
      {"", std::nullopt},
      {"MB/s", std::nullopt},
      {"5mb/s", std::nullopt},
      {"5 MB/s", std::nullopt},
      {"-5MB/s", std::nullopt},
      {"1.5MB/s", std::nullopt},
      {"18446744073709551615GB/s", std::nullopt},
      {"9223372036854775807bit/s", 1152921504606846975U},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_rate(text), expected) << text;
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
}  // namespace entrepot::base::units_test
