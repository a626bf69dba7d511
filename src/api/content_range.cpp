#include "api/content_range.hpp"

#include "entrepot/base/units.hpp"

namespace entrepot::api {

std::optional<PieceRange> parse_content_range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (text.starts_with(unit)) {
    text.remove_prefix(unit.size());
    text = text.substr(0, text.find('/'));
  }
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = base::parse_unsigned(text.substr(0, dash));
  const auto last = base::parse_unsigned(text.substr(dash + 1));
  if (!first || !last || *last < *first || *last == UINT64_MAX) return std::nullopt;
  return PieceRange{.first = *first, .length = *last - *first + 1};
}

}  // namespace entrepot::api
