#include "transfer/bundle/holdings.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "entrepot/index/catalog.hpp"
#include "transfer/bundle/prefixes.hpp"

namespace entrepot::transfer {
namespace {

// One read transaction each; other work of the thread goes on between them.
constexpr std::size_t names_at_once = 1000;
constexpr std::size_t links_at_once = 5000;
constexpr std::size_t tags_at_once = 1000;

// Held, not only linked: what the store lost is wanted.
void add(const index::View& view, const oci::RepositoryName& name, const oci::Digest& digest,
         Holdings& found) {
  if (index::manifest_info(view, digest)) {
    found.digests.push_back(prefix_of(digest));
    found.places.push_back(prefix_of(name, std::nullopt, digest));
  } else if (index::blob(view, digest)) {
    found.digests.push_back(prefix_of(digest));
  }
}

async::Task<> add_links(index::Index& index, oci::RepositoryName name, Holdings& found) {
  std::optional<oci::Digest> after;
  for (bool more = true; more;) {
    more = co_await index.read([&](const index::View& view) {
      const auto links = index::links(view, name, after, links_at_once);
      for (const auto& digest : links) add(view, name, digest, found);
      if (!links.empty()) after = links.back();
      return links.size() == links_at_once;
    });
  }
}

async::Task<> add_tags(index::Index& index, oci::RepositoryName name, Holdings& found) {
  std::string after;
  for (bool more = true; more;) {
    more = co_await index.read([&](const index::View& view) {
      const auto tags = index::tags(view, name, after, tags_at_once);
      for (const auto& tag : tags) {
        if (const auto record = index::tag(view, name, tag)) {
          found.places.push_back(prefix_of(name, tag, record->digest));
          found.places.push_back(prefix_of(name, tag));
        }
      }
      if (!tags.empty()) after = tags.back().text();
      return tags.size() == tags_at_once;
    });
  }
}

}  // namespace

async::Task<Holdings> holdings(index::Index& index, const base::GlobSet& globs) {
  Holdings found;
  std::string after;
  for (bool more = true; more;) {
    const auto names = co_await index.read([&](const index::View& view) {
      return index::repositories(view, {}, after, names_at_once);
    });
    for (const auto& name : names) {
      after = name.text();
      if (!globs.matches(name.text())) continue;
      ++found.repositories;
      co_await add_links(index, name, found);
      co_await add_tags(index, name, found);
    }
    more = names.size() == names_at_once;
  }
  co_return found;
}

void sort_once(std::vector<std::uint64_t>& prefixes) {
  std::ranges::sort(prefixes);
  prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
}

std::vector<std::uint64_t> all_of(Holdings holdings) {
  auto& all = holdings.digests;
  all.insert(all.end(), holdings.places.begin(), holdings.places.end());
  sort_once(all);
  return std::move(all);
}

}  // namespace entrepot::transfer
