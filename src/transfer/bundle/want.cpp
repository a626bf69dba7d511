#include "entrepot/transfer/want.hpp"

#include <algorithm>

#include "entrepot/base/glob.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/journal.hpp"
#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/prefixes.hpp"
#include "transfer/bundle/want_text.hpp"

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

async::Task<WantReport> write_want(index::Index& index, async::BlockingPool& pool, SiteKey key,
                                   std::string site_name, base::WallTime now,
                                   std::vector<std::string> repositories,
                                   std::filesystem::path file) {
  if (repositories.empty()) repositories.emplace_back("**");
  const base::GlobSet globs(repositories);
  Want want{.site = {.id = {}, .name = std::move(site_name)},
            .made = now,
            .repositories = std::move(repositories),
            .prefixes = {}};
  want.site.id = co_await index.read([](const index::View& view) { return index::site_id(view); });
  WantReport report;
  std::string after;
  for (bool more = true; more;) {
    const auto names = co_await index.read([&](const index::View& view) {
      return index::repositories(view, {}, after, names_at_once);
    });
    for (const auto& name : names) {
      after = name.text();
      if (!globs.matches(name.text())) continue;
      ++report.repositories;
      co_await add_links(index, name, want.prefixes);
    }
    more = names.size() == names_at_once;
  }
  co_await pool.run([&] {
    std::ranges::sort(want.prefixes);
    want.prefixes.erase(std::ranges::unique(want.prefixes).begin(), want.prefixes.end());
    const auto text = render(want, key);
    DurableFile out(file);
    out.append(text);
    out.finish();
    report.digests = want.prefixes.size();
    report.bytes = text.size();
  });
  co_return report;
}

}  // namespace entrepot::transfer
