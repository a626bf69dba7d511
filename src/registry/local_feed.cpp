#include "entrepot/registry/local_feed.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include "entrepot/async/limiter.hpp"
#include "entrepot/async/together.hpp"
#include "entrepot/index/catalog.hpp"
#include "registry/feed_view.hpp"
#include "registry/holdings_walk.hpp"
#include "registry/summary_shelf.hpp"
#include "registry/summary_tree.hpp"

namespace entrepot::registry {
namespace {

// Rows looked at before other work of this thread has its turn: about a millisecond.
constexpr std::size_t slice = 1000;
// Rows of others that one question passes over; then it is answered with how far it came.
constexpr std::size_t most_slices = 100;

constexpr std::chrono::seconds longest_turn(20);

using Names = std::vector<oci::RepositoryName>;

// Repositories of a view: as they are called here, and as they are told, in the same order.
struct Listed {
  Names here;
  Names told;
  std::uint64_t newest_change = 0;  // before any of them was looked at

  oci::Digest id() const {
    std::string text;
    for (std::size_t i = 0; i < here.size(); ++i) {
      text.append(here[i].text()).append(1, '\0').append(told[i].text()).append(1, '\0');
    }
    return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text));
  }
};

async::Task<Listed> list(index::Index& index, const FeedView& view) {
  Listed listed;
  listed.newest_change = co_await index.read(&index::newest_change);
  std::string after;
  for (bool more = true; more;) {
    const auto page = co_await index.read(
        [&](const index::View& rows) { return index::usages(rows, view.prefix(), after, slice); });
    for (const auto& each : page) {
      auto told = view.told(each.repository);
      if (!told) continue;
      listed.here.push_back(each.repository);
      listed.told.push_back(std::move(*told));
    }
    more = page.size() == slice;
    if (more) after = page.back().repository.text();
    if (more) co_await async::give_way();
  }
  co_return listed;
}

FeedPage page_of(const index::View& rows, const FeedView& view, std::uint64_t since,
                 std::size_t limit) {
  FeedPage page;
  page.site = index::site_id(rows);
  page.journal = index::journal_id(rows);
  page.next = since;
  page.newest = index::newest_change(rows);
  page.gap = since > page.newest || index::dropped_after(rows, since);
  if (page.gap) {
    page.next = page.newest;
    return page;
  }
  auto found = index::change_page(rows, since, limit, slice);
  page.next = found.next;
  for (auto& change : found.changes) {
    auto told = view.told(change.repository);
    if (!told) continue;
    change.repository = std::move(*told);
    page.changes.push_back(std::move(change));
  }
  return page;
}

Failure refused(std::string sentence) {
  return {.kind = FailureKind::denied, .message = std::move(sentence)};
}

Failure busy() {
  return {
      .kind = FailureKind::busy, .message = "others are being told", .retry_after = longest_turn};
}

bool are_prefixes(const std::vector<std::string>& prefixes) {
  return prefixes.size() <= most_summary_prefixes && std::ranges::all_of(prefixes, &is_prefix);
}

// The tree is made of the whole scope, page by page, hashing on the pool.
async::Task<SummaryShelf::Tree> make_tree(LocalFeed::House house, const Listed& listed) {
  std::vector<SummaryLeaf> leaves;
  HoldingsWalk walk(listed.here);
  while (!walk.over()) {
    const auto found =
        co_await house.index.read([&](const index::View& rows) { return walk.read(rows, slice); });
    co_await house.pool.run([&] {
      for (const auto& each : found) {
        leaves.push_back(leaf_of(listed.told[each.repository].text(), each.tag, each.digest));
      }
    });
  }
  co_return co_await house.pool.run(
      [&] { return std::make_shared<const SummaryTree>(std::move(leaves)); });
}

bool is_wanted(const Holding& holding, const Listed& listed,
               const std::vector<std::string>& prefixes) {
  const auto place = place_of(listed.told[holding.repository].text(), holding.tag, holding.digest);
  return std::ranges::any_of(prefixes,
                             [&](const std::string& prefix) { return is_under(place, prefix); });
}

std::optional<index::Change> latest_of(const index::View& rows,
                                       const oci::RepositoryName& repository,
                                       const oci::Reference& reference) {
  if (const auto* tag = reference.tag()) return index::latest_change(rows, repository, *tag);
  const auto& digest = *reference.digest();
  auto version = index::manifest_version(rows, repository, digest);
  if (!version) return std::nullopt;
  index::Change change{.repository = repository, .version = std::move(*version)};
  (index::linked(rows, repository, digest) ? change.to : change.from) = digest;
  return change;
}

SummaryItem item_of(const index::View& rows, const Listed& listed, Holding holding) {
  const auto& repository = listed.here[holding.repository];
  SummaryItem item{listed.told[holding.repository], std::nullopt, holding.digest,
                   std::move(holding.version)};
  if (!holding.tag.empty()) {
    item.tag = oci::Tag::parse(holding.tag);
  } else if (auto version = index::manifest_version(rows, repository, holding.digest)) {
    item.version = std::move(*version);
  }
  return item;
}

}  // namespace

struct LocalFeed::Shared {
  SummaryShelf shelf;
  // Over all that a site holds: a second asker finds the first one's tree.
  async::Limiter walks{1};
  std::atomic<bool> stopping = false;
};

LocalFeed::LocalFeed(House house) : LocalFeed(house, std::make_shared<Shared>(), {}) {}

LocalFeed::LocalFeed(House house, std::shared_ptr<Shared> shared, Visible visible)
    : house_(house), shared_(std::move(shared)), visible_(std::move(visible)) {}

LocalFeed LocalFeed::seen_by(Visible visible) const {
  return {house_, shared_, std::move(visible)};
}

void LocalFeed::stop() {
  shared_->stopping = true;
  house_.index.journal_grown().notify_all();
}

async::Task<Answer<FeedPage>> LocalFeed::changes(FeedScope scope, std::uint64_t since,
                                                 std::size_t limit,
                                                 std::chrono::milliseconds longest) {
  limit = std::clamp<std::size_t>(limit, 1, most_feed_changes);
  const FeedView view(scope, visible_);
  const auto end = house_.clock.steady() + longest;
  for (std::size_t slices = 1;; ++slices) {
    // Before the look, so that no change falls between the look and the wait.
    const auto ticket = house_.index.journal_grown().ticket();
    auto page = co_await house_.index.read(
        [&](const index::View& rows) { return page_of(rows, view, since, limit); });
    page.now = house_.clock.wall();
    if (!page.changes.empty() || page.gap || slices == most_slices) co_return page;
    since = page.next;
    if (since < page.newest) {
      co_await async::give_way();
      continue;
    }
    slices = 0;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - house_.clock.steady());
    if (left.count() <= 0 || shared_->stopping) co_return page;
    if (!co_await house_.index.journal_grown().wait(ticket, left)) co_return page;
  }
}

async::Task<Answer<std::vector<Summary>>> LocalFeed::summaries(FeedScope scope,
                                                               std::vector<std::string> prefixes) {
  if (!are_prefixes(prefixes)) co_return std::unexpected(refused("these are no prefixes"));
  const FeedView view(scope, visible_);
  const auto listed = co_await list(house_.index, view);
  const auto id = listed.id();
  const auto kept = [&] {
    return shared_->shelf.find(id, listed.newest_change, house_.clock.steady());
  };
  auto tree = kept();
  if (!tree) {
    const auto turn = co_await shared_->walks.acquire(longest_turn);
    if (!turn) co_return std::unexpected(busy());
    tree = kept();
    if (!tree) {
      tree = co_await make_tree(house_, listed);
      shared_->shelf.put(id, listed.newest_change, house_.clock.steady(), tree);
    }
  }
  std::vector<Summary> summaries;
  summaries.reserve(prefixes.size());
  for (const auto& prefix : prefixes) summaries.push_back(tree->summary(prefix));
  co_return summaries;
}

async::Task<Answer<std::vector<SummaryItem>>> LocalFeed::items(FeedScope scope,
                                                               std::vector<std::string> prefixes) {
  if (!are_prefixes(prefixes)) co_return std::unexpected(refused("these are no prefixes"));
  const FeedView view(scope, visible_);
  const auto listed = co_await list(house_.index, view);
  const auto turn = co_await shared_->walks.acquire(longest_turn);
  if (!turn) co_return std::unexpected(busy());
  std::vector<SummaryItem> items;
  HoldingsWalk walk(listed.here);
  while (!walk.over()) {
    auto found =
        co_await house_.index.read([&](const index::View& rows) { return walk.read(rows, slice); });
    co_await house_.pool.run([&] {
      std::erase_if(found, [&](const auto& each) { return !is_wanted(each, listed, prefixes); });
    });
    if (items.size() + found.size() > most_summary_items) {
      co_return std::unexpected(refused("more than 10000 items: ask for smaller parts"));
    }
    co_await house_.index.read([&](const index::View& rows) {
      for (auto& each : found) items.push_back(item_of(rows, listed, std::move(each)));
    });
  }
  co_return items;
}

async::Task<Answer<std::vector<index::Change>>> LocalFeed::latest(FeedScope scope,
                                                                  std::vector<TagName> tags) {
  if (tags.size() > most_tags_asked) co_return std::unexpected(refused("more than 1000 tags"));
  const FeedView view(scope, visible_);
  co_return co_await house_.index.read([&](const index::View& rows) {
    std::vector<index::Change> found;
    for (const auto& each : tags) {
      const auto here = view.meant(each.repository);
      auto change = here ? latest_of(rows, *here, each.reference) : std::nullopt;
      if (!change) continue;
      change->repository = each.repository;
      found.push_back(std::move(*change));
    }
    return found;
  });
}

}  // namespace entrepot::registry
