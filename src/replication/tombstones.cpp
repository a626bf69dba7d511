#include "replication/tombstones.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "entrepot/async/together.hpp"
#include "replication/settlement.hpp"

namespace entrepot::replication {
namespace {

constexpr std::size_t rows_at_once = 1000;

// By the target's names, which two repositories of ours may share: then the later change counts.
class Graves {
 public:
  explicit Graves(const CompiledRule& rule) : rule_(rule) {}

  void see(index::Change change) {
    auto target = rule_.covers(change) ? rule_.target(change.repository) : std::nullopt;
    if (!target) return;
    std::pair place(*target, reference_of(change));
    change.repository = std::move(*target);
    if (change.to) {
      dead_.erase(place);
    } else {
      dead_.insert_or_assign(std::move(place), std::move(change));
    }
  }

  std::vector<index::Change> take() {
    std::vector<index::Change> all;
    std::vector<index::Change> manifests;
    for (auto& [place, change] : dead_) {
      (change.tag ? all : manifests).push_back(std::move(change));
    }
    std::ranges::move(manifests, std::back_inserter(all));
    return all;
  }

 private:
  const CompiledRule& rule_;
  std::map<std::pair<oci::RepositoryName, std::string>, index::Change> dead_;
};

}  // namespace

async::Task<std::vector<index::Change>> tombstones(SharedErrand errand) {
  Graves graves(*errand->rule);
  std::uint64_t since = 0;
  for (;;) {
    auto page = co_await errand->house.index.read([since](const index::View& view) {
      return index::change_page(view, since, rows_at_once, rows_at_once);
    });
    for (auto& change : page.changes) graves.see(std::move(change));
    if (page.next == since) break;
    since = page.next;
    co_await async::give_way();
  }
  co_return graves.take();
}

}  // namespace entrepot::replication
