// Small files of other registries' directories, the words of bundles, and lists of images: what is
// accepted must be what it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "entrepot/oci/manifest.hpp"
#include "entrepot/transfer/image_list.hpp"
#include "transfer/bundle/ask_text.hpp"
#include "transfer/bundle/prefixes.hpp"
#include "transfer/bundle/signed_text.hpp"
#include "transfer/bundle/tar_form.hpp"
#include "transfer/bundle/volume_head.hpp"
#include "transfer/bundle/want_text.hpp"
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

// A signature is nothing a fuzzer finds: what stands behind it is given one.
const transfer::SiteKey& key() {
  static const auto made = [] {
    auto text = (std::filesystem::temp_directory_path() / "entrepot-fuzz-XXXXXX").string();
    if (::mkdtemp(text.data()) == nullptr) std::abort();
    const std::filesystem::path folder = text;
    const auto site_key = transfer::SiteKey::load_or_make(folder / "site.key");
    std::filesystem::remove_all(folder);
    return site_key;
  }();
  return made;
}

void wants(std::string_view text) {
  require(!transfer::parse_want(text) || text.starts_with("entrepot want 1\n"));
  const auto end = text.find('\n');
  if (end == text.npos) return;
  const auto file = transfer::sign_text("want", text.substr(0, end), text.substr(end + 1), key());
  if (const auto want = transfer::parse_want(file)) {
    const auto& prefixes = want->want.prefixes;
    require(std::ranges::is_sorted(prefixes));
    require(transfer::pack_prefixes(prefixes) == text.substr(end + 1));
    const auto again = transfer::parse_want(transfer::render(want->want, key()));
    require(again && again->want.prefixes == prefixes);
  }
}

void asks(std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto body = text.substr(std::min(end + 1, text.size()));
  const auto ask =
      transfer::parse_ask(transfer::sign_text("ask", text.substr(0, end), body, key()));
  if (ask) require(transfer::parse_ask(transfer::render(ask->ask, key())).has_value());
}

void heads(std::string_view text) {
  const auto head = transfer::parse_volume_head(text);
  if (!head) return require(!head.error().empty());
  std::set<std::string> names;
  for (const auto& member : head->members) {
    const auto name = transfer::name_of(member);
    require(!name.contains("..") && !name.starts_with('/') && names.insert(name).second);
    require(member.offset + member.size <= std::max(member.total, member.size));
  }
  const auto again = transfer::parse_volume_head(transfer::render(*head));
  require(again && again->members == head->members);
}

void headers(std::string_view text) {
  if (const auto size = transfer::size_in_header(text, "entrepot/volume.json")) {
    require(text == transfer::tar_header("entrepot/volume.json", *size));
  }
}

void images(std::string_view text) {
  if (const auto image = transfer::parse_image(text)) {
    const auto again = transfer::parse_image(image->text());
    require(again && again->text() == image->text());
  }
  for (const auto& line : transfer::images_in_lines(text)) {
    require(!line.empty() && !line.contains('\n') && !line.contains('#'));
  }
  transfer::images_in_kubernetes_list(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  texts(text);
  manifests(text);
  wants(text);
  asks(text);
  heads(text);
  headers(text);
  images(text);
  return 0;
}
