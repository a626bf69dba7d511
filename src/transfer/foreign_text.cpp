#include "transfer/foreign_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "entrepot/oci/media_type.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

constexpr std::string_view name_annotation = "org.opencontainers.image.ref.name";
constexpr std::size_t longest_shown = 200;

// Absent unless the text is a JSON object.
std::optional<json::object> object_of(std::string_view text) {
  json::parse_options options;
  options.max_depth = 32;
  json::error_code error;
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

const json::value* member(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && !value->is_null() ? value : nullptr;
}

std::string string_member(const json::object& object, std::string_view key) {
  const auto* const value = member(object, key);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::optional<LayoutEntry> entry_of(const json::value& value) {
  const auto* const object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto digest = oci::Digest::parse(string_member(*object, "digest"));
  if (!digest) return std::nullopt;
  const auto* const annotations = member(*object, "annotations");
  const auto* const words = annotations == nullptr ? nullptr : annotations->if_object();
  return LayoutEntry{*digest, words == nullptr ? "" : string_member(*words, name_annotation)};
}

}  // namespace

std::optional<oci::Digest> parse_link(std::string_view text) {
  const auto end = text.find_last_not_of("\r\n");
  return oci::Digest::parse(text.substr(0, end == text.npos ? 0 : end + 1));
}

bool is_layout_marker(std::string_view text) {
  const auto object = object_of(text);
  return object && string_member(*object, "imageLayoutVersion").starts_with("1.");
}

std::expected<std::vector<LayoutEntry>, std::string> parse_layout_index(std::string_view text) {
  const auto object = object_of(text);
  if (!object) return std::unexpected("index.json is not a JSON object");
  const auto* const manifests = member(*object, "manifests");
  if (manifests == nullptr) return std::vector<LayoutEntry>{};
  if (!manifests->is_array()) return std::unexpected("manifests of index.json is not an array");
  std::vector<LayoutEntry> entries;
  for (const auto& value : manifests->get_array()) {
    if (auto entry = entry_of(value)) entries.push_back(std::move(*entry));
  }
  return entries;
}

std::string media_type_of(std::string_view manifest) {
  const auto object = object_of(manifest);
  if (!object) return {};
  const auto claimed = string_member(*object, "mediaType");
  if (!claimed.empty()) return oci::bare_media_type(claimed);
  if (member(*object, "manifests") != nullptr) return std::string(oci::media_type::oci_index);
  if (member(*object, "config") != nullptr) return std::string(oci::media_type::oci_manifest);
  if (member(*object, "fsLayers") == nullptr) return {};
  return std::string(member(*object, "signatures") != nullptr
                         ? oci::media_type::docker_schema1_signed
                         : oci::media_type::docker_schema1);
}

std::string shown(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, longest_shown)) text += c >= ' ' && c <= '~' ? c : '?';
  if (name.size() > longest_shown) text += "...";
  return text;
}

}  // namespace entrepot::transfer
