// Durations, sizes and rates as people write them in the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::base {

// "500ms", "10s", "5m", "2h", "7d"; a unit is required, except for "0". Absent when malformed,
// negative or longer than 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// "4096", "64KiB", "4MiB", "1GiB", "2TiB". Absent when malformed or above 2^63 - 1.
std::optional<std::uint64_t> parse_size(std::string_view text);

// Bytes a second: "500kB/s", "5MB/s", "5MiB/s", "40Mbit/s"; a fraction of a byte is dropped. Absent
// when malformed or above 2^63 - 1 bits.
std::optional<std::uint64_t> parse_rate(std::string_view text);

// A decimal number without sign, blanks or leading "+"; absent when it does not fit.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

}  // namespace entrepot::base
