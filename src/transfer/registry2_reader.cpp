#include "transfer/registry2_reader.hpp"

#include "transfer/foreign_text.hpp"

namespace entrepot::transfer {

namespace {

constexpr std::size_t largest_link = 1024;

std::optional<oci::Digest> read_link(const ForeignFolder& folder, const std::string& path) {
  const auto text = folder.text(path, largest_link);
  return text ? parse_link(*text) : std::nullopt;
}

// The digests that have a link in `path`/<algorithm>/<hex>. A link that names another one than its
// folder is none of registry:2's.
std::vector<oci::Digest> linked_in(const ForeignFolder& folder, std::string_view path) {
  std::vector<oci::Digest> found;
  const auto top = folder.inside(path);
  if (!top) return found;
  for (const auto algorithm : {oci::Algorithm::sha256, oci::Algorithm::sha512}) {
    const std::string word(oci::to_string(algorithm));
    const auto prefix = word + ":";
    const auto links = top->inside(word);
    if (!links) continue;
    for (const auto& hex : links->folders()) {
      const auto digest = oci::Digest::parse(prefix + hex);
      if (digest && read_link(*links, hex + "/link") == digest) found.push_back(*digest);
    }
  }
  return found;
}

}  // namespace

void read_registry2(const ForeignFolder& folder, ForeignRepository& repository,
                    const Trouble& trouble) {
  repository.manifests = linked_in(folder, "_manifests/revisions");
  const auto layers = linked_in(folder, "_layers");
  auto& links = repository.links.emplace(layers.begin(), layers.end());
  links.insert(repository.manifests.begin(), repository.manifests.end());
  const auto tags = folder.inside("_manifests/tags");
  if (!tags) return;
  for (const auto& name : tags->folders()) {
    const auto tag = oci::Tag::parse(name);
    if (!tag) {
      trouble(repository.name.text() + ": \"" + shown(name) + "\" is not a tag");
      continue;
    }
    // Without a link the tag was removed.
    if (!tags->has(name + "/current/link")) continue;
    if (const auto digest = read_link(*tags, name + "/current/link")) {
      repository.tags.push_back({*tag, *digest});
    } else {
      trouble(repository.name.text() + ": the link of tag " + tag->text() + " is damaged");
    }
  }
}

}  // namespace entrepot::transfer
