#include "entrepot/oci/media_type.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace entrepot::oci {

namespace {

// Most wanted first: indexes before the images they list, so that a tag resolves to the same digest
// for us as for the client that understands most.
constexpr std::array<std::pair<std::string_view, ManifestKind>, 7> kinds{{
    {media_type::oci_index, ManifestKind::index},
    {media_type::docker_list, ManifestKind::index},
    {media_type::oci_manifest, ManifestKind::image},
    {media_type::docker_manifest, ManifestKind::image},
    {media_type::oci_artifact, ManifestKind::artifact},
    {media_type::docker_schema1_signed, ManifestKind::schema1},
    {media_type::docker_schema1, ManifestKind::schema1},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string accept_line() {
  std::string line;
  for (const auto& [type, kind] : kinds) {
    if (!line.empty()) line += ", ";
    line += type;
  }
  return line;
}

}  // namespace

std::string bare_media_type(std::string_view text) {
  text = text.substr(0, text.find(';'));
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  std::string bare(text.substr(first, text.find_last_not_of(" \t") - first + 1));
  std::ranges::transform(bare, bare.begin(), lower);
  return bare;
}

ManifestKind manifest_kind(std::string_view media_type) {
  const auto bare = bare_media_type(media_type);
  const auto* const row =
      std::ranges::find(kinds, bare, [](const auto& each) { return each.first; });
  return row == kinds.end() ? ManifestKind::unknown : row->second;
}

std::string_view accept_all_manifests() {
  static const std::string line = accept_line();
  return line;
}

}  // namespace entrepot::oci
