// Small files of other registries' directories: what is accepted must be what it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "entrepot/oci/manifest.hpp"
#include "transfer/foreign_text.hpp"

using namespace entrepot;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void texts(std::string_view text) {
  if (const auto digest = transfer::parse_link(text)) require(text.starts_with(digest->text()));
  transfer::is_layout_marker(text);
  if (const auto entries = transfer::parse_layout_index(text)) {
    for (const auto& entry : *entries) require(oci::Digest::parse(entry.digest.text()).has_value());
  } else {
    require(!entries.error().empty());
  }
  for (const char c : transfer::shown(text)) require(c >= ' ' && c <= '~');
}

void manifests(std::string_view text) {
  const auto type = transfer::media_type_of(text);
  const auto manifest = oci::parse_manifest(text, type);
  if (manifest) require(manifest->media_type == type);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  texts(text);
  manifests(text);
  return 0;
}
