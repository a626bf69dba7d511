#include "entrepot/transfer/want.hpp"

#include "entrepot/base/glob.hpp"
#include "entrepot/index/journal.hpp"
#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/holdings.hpp"
#include "transfer/bundle/want_text.hpp"

namespace entrepot::transfer {

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
  auto held = co_await holdings(index, globs);
  WantReport report{.repositories = held.repositories};
  co_await pool.run([&] {
    sort_once(held.digests);
    report.digests = held.digests.size();
    want.prefixes = all_of(std::move(held));
    const auto text = render(want, key);
    DurableFile out(file);
    out.append(text);
    out.finish();
    report.bytes = text.size();
  });
  co_return report;
}

}  // namespace entrepot::transfer
