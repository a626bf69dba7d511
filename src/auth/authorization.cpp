#include "auth/authorization.hpp"

#include <algorithm>

#include "entrepot/base/bytes.hpp"

namespace entrepot::auth {
namespace {

bool is_scheme(std::string_view word, std::string_view lower) {
  return std::ranges::equal(word, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

Authorization parse_basic(std::string_view text) {
  const auto pair = base::from_base64(text);
  if (!pair) return OddAuthorization{};
  const auto colon = pair->find(':');
  if (colon == pair->npos) return OddAuthorization{};
  return BasicAuthorization{pair->substr(0, colon), pair->substr(colon + 1)};
}

Authorization parse_bearer(std::string_view text) {
  const auto odd = [](char c) { return c <= ' ' || c > '~'; };
  if (text.empty() || std::ranges::any_of(text, odd)) return OddAuthorization{};
  return BearerAuthorization{text};
}

}  // namespace

Authorization parse_authorization(std::string_view header) {
  if (header.empty()) return NoAuthorization{};
  const auto blank = header.find(' ');
  if (blank == header.npos) return OddAuthorization{};
  const auto scheme = header.substr(0, blank);
  auto rest = header.substr(blank);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (is_scheme(scheme, "basic")) return parse_basic(rest);
  if (is_scheme(scheme, "bearer")) return parse_bearer(rest);
  return OddAuthorization{};
}

}  // namespace entrepot::auth
