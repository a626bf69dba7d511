#include "http/scan.hpp"

#include <algorithm>

namespace entrepot::http {

namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

void Scanner::skip_blanks() {
  while (is_blank(peek())) skip(1);
}

void Scanner::skip_separators() {
  while (is_blank(peek()) || peek() == ',') skip(1);
}

bool Scanner::take(char expected) {
  if (at_end() || peek() != expected) return false;
  skip(1);
  return true;
}

std::string_view Scanner::token() {
  const auto end = std::ranges::find_if_not(rest_, is_token_character);
  const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  skip(taken.size());
  return taken;
}

std::optional<std::string> Scanner::quoted() {
  if (!take('"')) return std::nullopt;
  std::string value;
  while (!at_end()) {
    if (take('"')) return value;
    if (peek() == '\\') {
      skip(1);
      if (at_end()) return std::nullopt;
    }
    value += peek();
    skip(1);
  }
  return std::nullopt;
}

}  // namespace entrepot::http
