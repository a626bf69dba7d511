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

// Held, not only linked: what the store lost is wanted.
bool is_held(const index::View& view, const oci::Digest& digest) {
  return index::blob(view, digest).has_value() || index::manifest_info(view, digest).has_value();
}

async::Task<> add_links(index::Index& index, oci::RepositoryName name,
                        std::vector<std::uint64_t>& prefixes) {
  std::optional<oci::Digest> after;
  for (bool more = true; more;) {
    more = co_await index.read([&](const index::View& view) {
      const auto links = index::links(view, name, after, links_at_once);
      for (const auto& digest : links) {
        if (is_held(view, digest)) prefixes.push_back(prefix_of(digest));
      }
      if (!links.empty()) after = links.back();
      return links.size() == links_at_once;
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
      co_await add_links(index, name, found.prefixes);
    }
    more = names.size() == names_at_once;
  }
  co_return found;
}

void sort_once(std::vector<std::uint64_t>& prefixes) {
  std::ranges::sort(prefixes);
  prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
}

}  // namespace entrepot::transfer
