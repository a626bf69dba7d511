#include "app/commands/words.hpp"

#include <array>
#include <boost/json.hpp>
#include <cstdio>

namespace entrepot::app::commands {

namespace json = boost::json;

namespace {

// What others chose may be made to move a terminal's cursor: C0, DEL, and C1 as UTF-8.
std::string shown(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    const bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    safe += c1 || byte < 0x20 || byte == 0x7f ? '?' : text[i];
    if (c1) ++i;
  }
  return safe;
}

}  // namespace

json::object object_of(std::string_view body) {
  boost::system::error_code ec;
  auto value = json::parse(body, ec);
  if (ec || !value.is_object()) return {};
  return std::move(value.get_object());
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? shown(value->get_string()) : std::string();
}

std::uint64_t number_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value || !value->is_number()) return 0;
  boost::system::error_code ec;
  const auto number = value->to_number<std::uint64_t>(ec);
  return ec ? 0 : number;
}

bool truth_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

std::vector<json::object> objects_of(const json::object& object, std::string_view key) {
  std::vector<json::object> found;
  const auto* value = object.if_contains(key);
  if (!value || !value->is_array()) return found;
  for (const auto& item : value->get_array()) {
    if (item.is_object()) found.push_back(item.get_object());
  }
  return found;
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return count_text(bytes, "byte");
  auto amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", amount, units[unit]);
  return text.data();
}

std::string count_text(std::uint64_t count, std::string_view noun) {
  auto text = std::to_string(count) + ' ';
  text += noun;
  if (count == 1) return text;
  if (text.ends_with('y')) {
    text.back() = 'i';
    return text + "es";
  }
  return text + 's';
}

Image split_image(std::string_view text) {
  if (const auto at = text.find('@'); at != text.npos) {
    return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
  }
  const auto colon = text.rfind(':');
  const auto slash = text.rfind('/');
  if (colon == text.npos || (slash != text.npos && colon < slash)) return {std::string(text), {}};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

}  // namespace entrepot::app::commands
