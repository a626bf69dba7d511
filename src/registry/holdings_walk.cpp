#include "registry/holdings_walk.hpp"

#include <algorithm>

#include "entrepot/index/holdings.hpp"

namespace entrepot::registry {

std::vector<Holding> HoldingsWalk::read(const index::View& view, std::size_t rows) {
  std::vector<Holding> found;
  while (!over() && rows > 0) {
    // A repository that holds nothing costs look-ups, too.
    const auto cost =
        1 + (tags_done_ ? read_manifests(view, rows, found) : read_tags(view, rows, found));
    rows -= std::min(rows, cost);
  }
  return found;
}

std::size_t HoldingsWalk::read_tags(const index::View& view, std::size_t rows,
                                    std::vector<Holding>& into) {
  auto page = index::held_tags(view, repositories_[at_], after_tag_, rows);
  tags_done_ = page.size() < rows;
  if (!page.empty()) after_tag_ = page.back().tag.text();
  for (auto& each : page) {
    into.push_back(
        {at_, std::string(each.tag.text()), each.record.digest, std::move(each.record.version)});
  }
  return page.size();
}

std::size_t HoldingsWalk::read_manifests(const index::View& view, std::size_t rows,
                                         std::vector<Holding>& into) {
  const auto page = index::held_manifests(view, repositories_[at_], after_link_, rows);
  for (const auto& digest : page.found) into.push_back({at_, {}, digest, {}});
  after_link_ = page.next;
  if (page.next) return rows;
  ++at_;
  tags_done_ = false;
  after_tag_.clear();
  return page.found.size();
}

}  // namespace entrepot::registry
