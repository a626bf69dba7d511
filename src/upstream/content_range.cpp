#include "upstream/content_range.hpp"

#include "entrepot/base/units.hpp"

namespace entrepot::upstream {

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (!text.starts_with(unit)) return std::nullopt;
  text.remove_prefix(unit.size());
  const auto dash = text.find('-');
  const auto slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return std::nullopt;
  const auto first = base::parse_unsigned(text.substr(0, dash));
  const auto last = base::parse_unsigned(text.substr(dash + 1, slash - dash - 1));
  const auto total_text = text.substr(slash + 1);
  const auto total = base::parse_unsigned(total_text);
  if (!first || !last || *first > *last) return std::nullopt;
  if (!total && total_text != "*") return std::nullopt;
  if (total && *last >= *total) return std::nullopt;
  return ContentRange{*first, *last, total};
}

}  // namespace entrepot::upstream
