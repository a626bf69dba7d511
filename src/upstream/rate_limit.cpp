#include "upstream/rate_limit.hpp"

#include <algorithm>

#include "entrepot/base/units.hpp"

namespace entrepot::upstream {
namespace {

using std::chrono::seconds;

constexpr seconds longest_window(7 * 24 * 3600);

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "76" of "76;w=21600" or "76, 100;w=60"
std::optional<std::uint64_t> leading_number(std::string_view text) {
  return base::parse_unsigned(trimmed(text.substr(0, text.find_first_of(";,"))));
}

std::optional<seconds> bounded(std::optional<std::uint64_t> number) {
  if (!number || *number == 0) return std::nullopt;
  const auto most = static_cast<std::uint64_t>(longest_window.count());
  return seconds(static_cast<seconds::rep>(std::min(*number, most)));
}

std::optional<seconds> window_of(std::string_view text) {
  const auto at = text.find(";w=");
  return at == text.npos ? std::nullopt : bounded(leading_number(text.substr(at + 3)));
}

}  // namespace

std::optional<RateLimit> parse_rate_limit(const http::Headers& headers) {
  const auto remaining_text = headers.get("RateLimit-Remaining").value_or("");
  const auto remaining = leading_number(remaining_text);
  if (!remaining) return std::nullopt;
  const auto limit_text = headers.get("RateLimit-Limit").value_or("");
  RateLimit limit{*remaining, leading_number(limit_text), window_of(remaining_text)};
  if (!limit.window) limit.window = window_of(limit_text);
  if (!limit.window)
    limit.window = bounded(leading_number(headers.get("RateLimit-Reset").value_or("")));
  return limit;
}

}  // namespace entrepot::upstream
