// One collection on its way: what every step of it needs, in earnest or as a dry run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "entrepot/upkeep/collector.hpp"
#include "upkeep/overlay.hpp"

namespace entrepot::upkeep {

// One thread; outlives the steps, which refer to it.
class Round {
 public:
  Round(Collector::House& house, CollectorOptions options, Trial trial,
        std::function<void(const Removal&)> tell, std::function<bool()> stop)
      : house(house),
        options(options),
        dry(trial == Trial::dry_run),
        now(house.clock.wall()),
        tell_(std::move(tell)),
        stop_(std::move(stop)) {}

  Collector::House& house;
  const CollectorOptions options;
  const bool dry;
  const base::WallTime now;
  Report report;

  // Reads what is so; in a dry run what would be so by now.
  template <class Work>
  auto look(Work work) -> async::Task<std::invoke_result_t<Work&, const index::View&>> {
    if (!dry) co_return co_await house.index.read(std::move(work));
    co_return co_await house.index.read(
        [&](const index::View& view) { return work(Overlay(view, changes_)); });
  }
  // One transaction; in a dry run one that only the rest of it sees. `work` has no effect but on
  // its Batch.
  template <class Work>
  auto decide(Work work) -> async::Task<std::invoke_result_t<Work&, index::Batch&>> {
    if (!dry) co_return co_await house.index.write(std::move(work));
    co_return co_await house.index.read([&](const index::View& view) {
      Overlay overlay(view, changes_);
      return work(overlay);
    });
  }

  // Also when it comes from the future.
  bool young(base::WallTime since) const { return now - since < options.grace; }
  bool stopped() const { return stop_ && stop_(); }
  // Counts and tells; called after the commit.
  void removed(const Removal& removal);

 private:
  std::function<void(const Removal&)> tell_;
  std::function<bool()> stop_;
  Overlay::Changes changes_;
};

}  // namespace entrepot::upkeep
