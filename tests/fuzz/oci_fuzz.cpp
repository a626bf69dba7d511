// Digests, names, references and manifests of outside: what is accepted must be what it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/oci/refusal.hpp"

namespace oci = entrepot::oci;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void names(std::string_view text) {
  if (const auto digest = oci::Digest::parse(text)) require(digest->text() == text);
  if (const auto name = oci::RepositoryName::parse(text)) {
    require(name->text() == text && text.size() <= 255);
    require(text.find("..") == text.npos && text.find("//") == text.npos);
  }
  if (const auto reference = oci::Reference::parse(text)) require(reference->text() == text);
  require(oci::error_body(oci::ErrorCode::name_invalid, text).find('\n') == std::string::npos);
}

void manifests(std::string_view text) {
  for (const auto type : {oci::media_type::oci_manifest, oci::media_type::oci_index,
                          oci::media_type::oci_artifact, oci::media_type::docker_manifest,
                          oci::media_type::docker_list, oci::media_type::docker_schema1_signed}) {
    const auto manifest = oci::parse_manifest(text, type);
    if (manifest) {
      require(manifest->kind == oci::manifest_kind(type));
    } else {
      require(!manifest.error().empty());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  names(text);
  manifests(text);
  return 0;
}
