// A cursor over a header value: the few words of RFC 9110 section 5.6 that our parsers share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot::http {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// RFC 9110 section 5.6.2.
constexpr bool is_token_character(char c) {
  return is_digit(c) || is_letter(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim_blanks(std::string_view text);

// The numeric value of a hexadecimal digit in either case; -1 for anything else.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  void skip(std::size_t characters) { rest_.remove_prefix(characters); }

  void skip_blanks();
  // Blanks and commas: what may stand between the elements of a list.
  void skip_separators();
  bool take(char expected);
  // Empty when there is none.
  std::string_view token();
  // A quoted string without its quotes and escapes; absent when it never ends or does not begin.
  std::optional<std::string> quoted();

 private:
  std::string_view rest_;
};

}  // namespace entrepot::http
