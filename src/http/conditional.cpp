#include "entrepot/http/conditional.hpp"

#include "http/scan.hpp"

namespace entrepot::http {

namespace {

std::string_view opaque(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

// An entity tag with its quotes, taken off the front; empty when none stands there.
std::string_view take_etag(Scanner& scanner) {
  const auto text = scanner.rest();
  const std::size_t open = text.starts_with("W/") ? 2 : 0;
  if (text.size() <= open || text[open] != '"') return {};
  const auto close = text.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  scanner.skip(close + 1);
  return text.substr(0, close + 1);
}

}  // namespace

bool if_none_match(std::string_view header, std::string_view etag) {
  if (trim_blanks(header) == "*") return true;
  Scanner scanner(header);
  for (;;) {
    scanner.skip_separators();
    const auto candidate = take_etag(scanner);
    if (candidate.empty()) return false;
    if (opaque(candidate) == opaque(etag)) return true;
  }
}

}  // namespace entrepot::http
