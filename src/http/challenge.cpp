#include "entrepot/http/challenge.hpp"

#include <algorithm>

#include "http/scan.hpp"

namespace entrepot::http {

namespace {

constexpr std::size_t most_bytes = 8 * 1024;
constexpr std::size_t most_challenges = 16;
constexpr std::size_t most_parameters = 16;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return lower;
}

// `name = value`, taken off the front; absent, and nothing taken, when something else stands there.
std::optional<std::pair<std::string, std::string>> take_parameter(Scanner& scanner) {
  Scanner ahead = scanner;
  const auto name = ahead.token();
  ahead.skip_blanks();
  if (name.empty() || !ahead.take('=')) return std::nullopt;
  ahead.skip_blanks();
  std::optional<std::string> value;
  if (ahead.peek() == '"') {
    value = ahead.quoted();
  } else if (const auto word = ahead.token(); !word.empty()) {
    value = word;
  }
  if (!value) return std::nullopt;
  scanner = ahead;
  return std::pair(lower_case(name), std::move(*value));
}

// `Negotiate aGVsbG8=`: a credential instead of parameters, of no use to us. False when something
// else stands there.
bool skip_token68(Scanner& scanner) {
  const auto end = scanner.rest().find_first_of(", \t");
  scanner.skip(std::min(end, scanner.rest().size()));
  scanner.skip_blanks();
  return scanner.at_end() || scanner.peek() == ',';
}

// False when the header cannot be understood any further.
bool take_parameters(Scanner& scanner, Challenge& challenge) {
  for (;;) {
    Scanner ahead = scanner;
    ahead.skip_separators();
    auto parameter = take_parameter(ahead);
    if (!parameter) return true;
    if (challenge.parameters.size() == most_parameters) return false;
    challenge.parameters.insert(std::move(*parameter));
    scanner = ahead;
  }
}

}  // namespace

std::optional<std::string> Challenge::parameter(std::string_view key) const {
  const auto found = parameters.find(std::string(key));
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header.substr(0, most_bytes));
  while (challenges.size() < most_challenges) {
    scanner.skip_separators();
    const auto scheme = scanner.token();
    const bool ends = scanner.at_end() || scanner.peek() == ',';
    if (scheme.empty() || (!ends && scanner.peek() != ' ' && scanner.peek() != '\t')) break;
    auto& challenge = challenges.emplace_back(lower_case(scheme));
    scanner.skip_blanks();
    Scanner ahead = scanner;
    const bool credential = !ends && !take_parameter(ahead) && !scanner.at_end();
    if (credential && scanner.peek() != ',' && !skip_token68(scanner)) break;
    if (!take_parameters(scanner, challenge)) break;
  }
  return challenges;
}

}  // namespace entrepot::http
