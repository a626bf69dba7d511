#include "upkeep/links.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "entrepot/async/together.hpp"
#include "entrepot/index/collection.hpp"

namespace entrepot::upkeep {

namespace {

// A page takes a serving thread some milliseconds at most.
constexpr std::size_t rows_a_page = 256;
constexpr std::size_t judgements_a_transaction = 200;
constexpr std::size_t referrers_a_page = 1000;

enum class Content { manifests, blobs };

struct LinkAt {
  oci::RepositoryName repository;
  oci::Digest digest;
};
using Links = std::vector<LinkAt>;

struct Page {
  Links candidates;
  index::LinkCursor next;
  std::size_t looked_at = 0;
  bool more = false;
};

struct Fallen {
  Links links;
  Links neighbours;  // what may have stayed only because of them
};

bool is_manifest(const index::View& view, const oci::Digest& digest) {
  return index::manifest_info(view, digest).has_value();
}

bool unneeded(const index::View& view, const Round& round, const LinkAt& link) {
  const auto history_since = round.now - round.options.history;
  return index::hold_of(view, link.repository, link.digest, history_since) == index::Hold::none;
}

Page candidates(const index::View& view, const Round& round, index::LinkCursor cursor,
                Content content) {
  Page page{.candidates = {}, .next = std::move(cursor)};
  const auto rows = index::local_links(view, page.next, rows_a_page);
  page.looked_at = rows.size();
  page.more = rows.size() == rows_a_page;
  for (const auto& row : rows) {
    if (row.is_manifest != (content == Content::manifests) || round.young(row.since)) continue;
    LinkAt link{row.repository, row.digest};
    if (unneeded(view, round, link)) page.candidates.push_back(std::move(link));
  }
  return page;
}

// What `manifest` lists and what refers to it, as far as it is linked there, too.
void add_neighbours(const index::View& view, const LinkAt& manifest, Links& neighbours) {
  for (const auto& edge : index::edges(view, manifest.digest)) {
    if (edge.kind != oci::EdgeKind::manifest) continue;
    if (!index::linked(view, manifest.repository, edge.target.digest)) continue;
    neighbours.push_back({manifest.repository, edge.target.digest});
  }
  std::optional<oci::Digest> after;
  for (;;) {
    const auto page =
        index::referrers(view, manifest.repository, manifest.digest, {}, after, referrers_a_page);
    for (const auto& row : page) {
      neighbours.push_back({manifest.repository, row.descriptor.digest});
    }
    if (page.size() < referrers_a_page) return;
    after = page.back().descriptor.digest;
  }
}

// Everything is looked at again: between the page and this transaction others were at work.
Fallen judge(index::Batch& batch, const Round& round, const Links& links, Content content) {
  Fallen fallen;
  for (const auto& link : links) {
    const auto since = index::linked_since(batch, link.repository, link.digest);
    if (!since || round.young(*since)) continue;
    if (is_manifest(batch, link.digest) != (content == Content::manifests)) continue;
    if (!unneeded(batch, round, link)) continue;
    if (content == Content::manifests) add_neighbours(batch, link, fallen.neighbours);
    index::unlink(batch, link.repository, link.digest);
    fallen.links.push_back(link);
  }
  return fallen;
}

// Closes what nobody has a lease on; the rest is not judged this time. A digest may stand there for
// several repositories.
class Closed {
 public:
  Closed(Round& round, Links& links) {
    std::erase_if(links, [&](const LinkAt& link) { return !close(round, link.digest); });
  }

 private:
  bool close(Round& round, const oci::Digest& digest) {
    if (judgements_.contains(digest)) return true;
    if (round.dry) return !round.house.leases.leased(digest, round.options.grace);
    auto judgement = round.house.leases.close(digest, round.options.grace);
    if (!judgement) return false;
    judgements_.emplace(digest, std::move(judgement));
    return true;
  }

  std::map<oci::Digest, registry::LeaseTable::Judgement> judgements_;
};

// Answers what may fall next.
async::Task<Links> take_out(Round& round, Links links, Content content) {
  Fallen fallen;
  {
    const Closed closed(round, links);
    if (links.empty()) co_return Links{};
    fallen = co_await round.decide(
        [&](index::Batch& batch) { return judge(batch, round, links, content); });
  }
  for (const auto& link : fallen.links) {
    round.removed({.kind = Removal::Kind::link,
                   .repository = link.repository.text(),
                   .digest = link.digest,
                   .reason = content == Content::manifests ? "untagged" : "listed by nothing"});
  }
  co_return std::move(fallen.neighbours);
}

// And what falls with them. Ends: each turn takes links away.
async::Task<> take_out_all(Round& round, Links links, Content content) {
  while (!links.empty() && !round.stopped()) {
    const auto count = std::min(links.size(), judgements_a_transaction);
    const auto rest = links.end() - static_cast<std::ptrdiff_t>(count);
    Links some(std::make_move_iterator(rest), std::make_move_iterator(links.end()));
    links.erase(rest, links.end());
    auto next = co_await take_out(round, std::move(some), content);
    std::ranges::move(next, std::back_inserter(links));
    co_await async::give_way();
  }
}

async::Task<> walk(Round& round, Content content) {
  index::LinkCursor cursor;
  Links found;
  for (bool more = true; more && !round.stopped();) {
    auto page = co_await round.look(
        [&](const index::View& view) { return candidates(view, round, cursor, content); });
    round.report.looked_at += page.looked_at;
    cursor = std::move(page.next);
    more = page.more;
    std::ranges::move(page.candidates, std::back_inserter(found));
    if (!more || found.size() >= judgements_a_transaction) {
      co_await take_out_all(round, std::exchange(found, {}), content);
    }
    co_await async::give_way();
  }
}

}  // namespace

async::Task<> collect_manifest_links(Round& round) { return walk(round, Content::manifests); }
async::Task<> collect_blob_links(Round& round) { return walk(round, Content::blobs); }

}  // namespace entrepot::upkeep
