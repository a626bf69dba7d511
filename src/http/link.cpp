#include "entrepot/http/link.hpp"

#include "entrepot/http/headers.hpp"
#include "http/scan.hpp"

namespace entrepot::http {

namespace {

bool names_next(std::string_view relations) {
  Scanner scanner(relations);
  while (!scanner.at_end()) {
    scanner.skip_blanks();
    const auto relation = scanner.token();
    if (relation.empty()) return false;
    if (equals_ignoring_case(relation, "next")) return true;
  }
  return false;
}

// The parameters behind a link's target; absent when they cannot be read.
std::optional<bool> has_relation_next(Scanner& scanner) {
  bool next = false;
  for (scanner.skip_blanks(); scanner.take(';'); scanner.skip_blanks()) {
    scanner.skip_blanks();
    const auto name = scanner.token();
    scanner.skip_blanks();
    std::string value;
    if (scanner.take('=')) {
      scanner.skip_blanks();
      if (scanner.peek() == '"') {
        auto quoted = scanner.quoted();
        if (!quoted) return std::nullopt;
        value = std::move(*quoted);
      } else {
        value = scanner.token();
      }
    }
    if (equals_ignoring_case(name, "rel") && names_next(value)) next = true;
  }
  return next;
}

}  // namespace

std::string next_link(std::string_view target) {
  return "<" + std::string(target) + ">; rel=\"next\"";
}

std::optional<std::string> parse_next_link(std::string_view header) {
  Scanner scanner(header);
  for (;;) {
    scanner.skip_separators();
    if (!scanner.take('<')) return std::nullopt;
    const auto end = scanner.rest().find('>');
    if (end == std::string_view::npos) return std::nullopt;
    const auto target = scanner.rest().substr(0, end);
    scanner.skip(end + 1);
    const auto next = has_relation_next(scanner);
    if (!next) return std::nullopt;
    if (*next) return std::string(target);
  }
}

}  // namespace entrepot::http
