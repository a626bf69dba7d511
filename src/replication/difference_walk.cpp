#include "replication/difference_walk.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace entrepot::replication {

namespace {

using registry::Answer;
using registry::SummaryItem;

// Of a node whose items are listed rather than parted further: a summary is as long as this many.
constexpr std::size_t few = 16;
// Of a node that is empty on one side, all of which differs.
constexpr std::size_t most_in_leaf = 2000;
constexpr std::size_t most_in_part = 4000;
constexpr std::size_t nodes_at_once = 64;

bool is_leaf(std::size_t theirs, std::size_t ours, std::size_t digits) {
  const auto more = std::max(theirs, ours);
  if (more <= few || digits >= registry::most_prefix_digits) return true;
  return std::min(theirs, ours) == 0 && more <= most_in_leaf;
}

// What an item is about.
std::pair<oci::RepositoryName, std::string> subject(const SummaryItem& item) {
  return {item.repository, item.tag ? item.tag->text() : item.digest.text()};
}

Differences differences(std::vector<SummaryItem> theirs, std::vector<SummaryItem> ours) {
  std::map<std::pair<oci::RepositoryName, std::string>, oci::Digest> held;
  for (const auto& item : ours) held.emplace(subject(item), item.digest);
  std::map<std::pair<oci::RepositoryName, std::string>, oci::Digest> there;
  for (const auto& item : theirs) there.emplace(subject(item), item.digest);
  std::erase_if(theirs, [&](const SummaryItem& item) {
    const auto found = held.find(subject(item));
    return found != held.end() && found->second == item.digest;
  });
  std::erase_if(ours, [&](const SummaryItem& item) { return there.contains(subject(item)); });
  return {std::move(theirs), std::move(ours)};
}

async::Task<Answer<std::vector<SummaryItem>>> items(DifferenceWalk::Side side,
                                                    std::vector<std::string> prefixes) {
  if (prefixes.empty()) co_return std::vector<SummaryItem>();
  co_return co_await side.feed->items(side.scope, std::move(prefixes));
}

}  // namespace

DifferenceWalk::DifferenceWalk(Side theirs, Side ours)
    : theirs_(std::move(theirs)), ours_(std::move(ours)) {}

async::Task<Answer<std::optional<Differences>>> DifferenceWalk::next() {
  while (leaves_.size() < nodes_at_once && !open_.empty()) {
    const auto done = co_await descend();
    if (!done) co_return std::unexpected(done.error());
  }
  if (leaves_.empty()) co_return std::nullopt;
  co_return co_await list(take_leaves());
}

async::Task<Answer<void>> DifferenceWalk::descend() {
  const auto count = std::min(open_.size(), nodes_at_once);
  const std::vector<std::string> nodes(open_.end() - static_cast<std::ptrdiff_t>(count),
                                       open_.end());
  open_.resize(open_.size() - count);
  const auto theirs = co_await theirs_.feed->summaries(theirs_.scope, nodes);
  if (!theirs) co_return std::unexpected(theirs.error());
  const auto ours = co_await ours_.feed->summaries(ours_.scope, nodes);
  if (!ours) co_return std::unexpected(ours.error());
  if (theirs->size() != count || ours->size() != count) {
    co_return std::unexpected(registry::Failure{.message = "summaries of other nodes than asked"});
  }
  for (std::size_t i = 0; i < count; ++i) compare((*theirs)[i], (*ours)[i]);
  co_return Answer<void>();
}

void DifferenceWalk::compare(const registry::Summary& theirs, const registry::Summary& ours) {
  constexpr const char* digits = "0123456789abcdef";
  for (std::size_t i = 0; i < theirs.children.size(); ++i) {
    const auto& there = theirs.children[i];
    const auto& child = ours.children[i];
    if (there == child) continue;
    auto prefix = ours.prefix + digits[i];
    if (is_leaf(there.items, child.items, prefix.size())) {
      leaves_.push_back({std::move(prefix), there.items, child.items});
    } else {
      open_.push_back(std::move(prefix));
    }
  }
}

std::vector<DifferenceWalk::Leaf> DifferenceWalk::take_leaves() {
  std::vector<Leaf> taken;
  std::size_t items = 0;
  while (!leaves_.empty() && taken.size() < registry::most_summary_prefixes) {
    const auto more = std::max(leaves_.back().theirs, leaves_.back().ours);
    if (!taken.empty() && items + more > most_in_part) break;
    items += more;
    taken.push_back(std::move(leaves_.back()));
    leaves_.pop_back();
  }
  return taken;
}

async::Task<Answer<Differences>> DifferenceWalk::list(std::vector<Leaf> leaves) {
  std::vector<std::string> of_theirs;
  std::vector<std::string> of_ours;
  for (const auto& leaf : leaves) {
    if (leaf.theirs > 0) of_theirs.push_back(leaf.prefix);
    if (leaf.ours > 0) of_ours.push_back(leaf.prefix);
  }
  auto theirs = co_await items(theirs_, std::move(of_theirs));
  if (!theirs) co_return std::unexpected(std::move(theirs.error()));
  auto ours = co_await items(ours_, std::move(of_ours));
  if (!ours) co_return std::unexpected(std::move(ours.error()));
  co_return differences(std::move(*theirs), std::move(*ours));
}

}  // namespace entrepot::replication
