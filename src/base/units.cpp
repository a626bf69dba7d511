#include "entrepot/base/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace entrepot::base {

namespace {

using std::chrono::milliseconds;

struct Quantity {
  std::uint64_t count;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto count = parse_unsigned(digits);
  if (!count) return std::nullopt;
  return Quantity{*count, text.substr(digits.size())};
}

template <std::size_t N>
std::optional<std::uint64_t> scaled(
    const Quantity& quantity,
    const std::array<std::pair<std::string_view, std::uint64_t>, N>& units, std::uint64_t most) {
  for (const auto& [unit, factor] : units) {
    if (unit != quantity.unit) continue;
    if (quantity.count > most / factor) return std::nullopt;
    return quantity.count * factor;
  }
  return std::nullopt;
}

constexpr std::uint64_t hundred_years = milliseconds(std::chrono::years(100)).count();

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> duration_units{{
    {"ms", 1},
    {"s", 1'000},
    {"m", 60'000},
    {"h", 3'600'000},
    {"d", 86'400'000},
}};

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> size_units{{
    {"", 1},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
}};

// In bits, so that both ways of counting are whole numbers.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 11> rate_units{{
    {"B/s", 8},
    {"kB/s", 8'000},
    {"MB/s", 8'000'000},
    {"GB/s", 8'000'000'000},
    {"KiB/s", 8ULL << 10},
    {"MiB/s", 8ULL << 20},
    {"GiB/s", 8ULL << 30},
    {"bit/s", 1},
    {"kbit/s", 1'000},
    {"Mbit/s", 1'000'000},
    {"Gbit/s", 1'000'000'000},
}};

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  // from_chars takes a '-' for unsigned types too, in the sense of strtoul.
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return milliseconds(0);
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  const auto count = scaled(*quantity, duration_units, hundred_years);
  if (!count) return std::nullopt;
  return milliseconds(*count);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  return scaled(*quantity, size_units, std::numeric_limits<std::int64_t>::max());
}

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  const auto bits = scaled(*quantity, rate_units, std::numeric_limits<std::int64_t>::max());
  if (!bits) return std::nullopt;
  return *bits / 8;
}

}  // namespace entrepot::base
