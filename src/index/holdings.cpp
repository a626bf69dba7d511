#include "entrepot/index/holdings.hpp"

#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {

std::vector<HeldTag> held_tags(const View& view, const oci::RepositoryName& repository,
                               std::string_view after, std::size_t limit) {
  std::vector<HeldTag> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  const Key start = after.empty() ? Key() : Key().repository(*id).text(after);
  view.scan(Space::tags, Key().repository(*id), start,
            [&](base::ByteView key, base::ByteView value) {
              auto tag = oci::Tag::parse(base::as_text(key.subspan(sizeof(RepositoryId))));
              if (tag) found.push_back({std::move(*tag), intact(decode_tag(value), "tag")});
              return found.size() < limit ? Continue::yes : Continue::no;
            });
  return found;
}

HeldManifests held_manifests(const View& view, const oci::RepositoryName& repository,
                             const std::optional<oci::Digest>& after,
                             std::size_t links_to_look_at) {
  HeldManifests page;
  const auto digests = links(view, repository, after, links_to_look_at);
  for (const auto& digest : digests) {
    if (view.get(Space::manifests, Key().digest(digest))) page.found.push_back(digest);
  }
  if (digests.size() == links_to_look_at && links_to_look_at > 0) page.next = digests.back();
  return page;
}

}  // namespace entrepot::index
