#include "transfer/layout_reader.hpp"

#include <set>

#include "transfer/foreign_text.hpp"

namespace entrepot::transfer {

namespace {

constexpr std::size_t largest_marker = 4096;
constexpr std::size_t largest_index = 64 << 20;

}  // namespace

bool is_layout(const ForeignFolder& folder) {
  const auto marker = folder.text("oci-layout", largest_marker);
  return marker && is_layout_marker(*marker);
}

void read_layout(const ForeignFolder& folder, ForeignRepository& repository,
                 const Trouble& trouble) {
  const auto text = folder.text("index.json", largest_index);
  if (!text) return trouble(repository.name.text() + ": index.json is missing or too large");
  const auto entries = parse_layout_index(*text);
  if (!entries) return trouble(repository.name.text() + ": " + entries.error());
  std::set<oci::Tag> seen;
  for (const auto& entry : *entries) {
    repository.manifests.push_back(entry.digest);
    if (entry.name.empty()) continue;
    const auto tag = oci::Tag::parse(entry.name);
    if (!tag) {
      trouble(repository.name.text() + ": \"" + shown(entry.name) + "\" is not a tag");
    } else if (!seen.insert(*tag).second) {
      trouble(repository.name.text() + ": the tag " + tag->text() + " stands there twice");
    } else {
      repository.tags.push_back({*tag, entry.digest});
    }
  }
}

}  // namespace entrepot::transfer
