#include "entrepot/http/target.hpp"

#include <algorithm>

#include "entrepot/base/utf8.hpp"
#include "http/scan.hpp"

namespace entrepot::http {

namespace {

// A manifest may be pushed with a hundred tags.
constexpr std::size_t most_parameters = 128;

bool is_visible_ascii(char c) { return c > ' ' && c < '\x7f'; }

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = base::first_code_point(text);
    if (!point) return false;
    text.remove_prefix(point->length);
  }
  return true;
}

// Absent for a bad escape, or one that hides a control character or broken UTF-8.
std::optional<std::string> decode(std::string_view text) {
  if (!text.contains('%')) return std::string(text);
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const auto byte = static_cast<unsigned char>(high * 16 + low);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  if (!is_utf8(decoded)) return std::nullopt;
  return decoded;
}

// An escaped '/', '\' or '%' would mean one thing to us and another to whoever decodes again.
bool hides_syntax(std::string_view raw_path) {
  for (auto at = raw_path.find('%'); at != std::string_view::npos;
       at = raw_path.find('%', at + 1)) {
    const auto escape = raw_path.substr(at + 1, 2);
    if (escape.size() < 2) return true;
    const int byte = hex_value(escape[0]) * 16 + hex_value(escape[1]);
    if (byte == '/' || byte == '\\' || byte == '%') return true;
  }
  return false;
}

bool has_clean_components(std::string_view path) {
  std::size_t begin = 1;
  while (begin < path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto component = path.substr(begin, end - begin);
    if (component.empty() || component == "." || component == "..") return false;
    begin = end + 1;
  }
  return true;
}

std::optional<std::string> decode_path(std::string_view raw) {
  if (!raw.starts_with('/') || hides_syntax(raw)) return std::nullopt;
  auto path = decode(raw);
  if (!path || !has_clean_components(*path)) return std::nullopt;
  return path;
}

bool decode_query(std::string_view raw, Target& target) {
  while (!raw.empty()) {
    const auto end = std::min(raw.find('&'), raw.size());
    const auto parameter = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (parameter.empty()) continue;
    if (target.query.size() == most_parameters) return false;
    const auto equals = std::min(parameter.find('='), parameter.size());
    auto key = decode(parameter.substr(0, equals));
    auto value = decode(parameter.substr(std::min(equals + 1, parameter.size())));
    if (!key || !value) return false;
    target.query.emplace_back(std::move(*key), std::move(*value));
  }
  return true;
}

// The path and query of absolute-form; origin-form as it is.
std::string_view without_origin(std::string_view raw) {
  if (raw.starts_with('/')) return raw;
  const auto colon = raw.find("://");
  if (colon == std::string_view::npos) return {};
  raw.remove_prefix(colon + 3);
  const auto end = raw.find_first_of("/?");
  if (end == std::string_view::npos) return "/";
  return raw[end] == '/' ? raw.substr(end) : std::string_view{};
}

}  // namespace

std::optional<std::string_view> Target::query_value(std::string_view key) const {
  const auto found = std::ranges::find(query, key, &std::pair<std::string, std::string>::first);
  if (found == query.end()) return std::nullopt;
  return found->second;
}

std::optional<Target> parse_target(std::string_view raw) {
  if (!std::ranges::all_of(raw, is_visible_ascii)) return std::nullopt;
  if (raw.find_first_of("#\\") != std::string_view::npos) return std::nullopt;
  const auto origin_form = without_origin(raw);
  const auto question = std::min(origin_form.find('?'), origin_form.size());
  auto path = decode_path(origin_form.substr(0, question));
  if (!path) return std::nullopt;
  Target target;
  target.path = std::move(*path);
  if (question < origin_form.size() && !decode_query(origin_form.substr(question + 1), target)) {
    return std::nullopt;
  }
  return target;
}

std::string encode_query(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

}  // namespace entrepot::http
