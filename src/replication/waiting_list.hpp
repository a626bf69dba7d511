// What failed and is tried again, each item by its own clock; kept in the index, so that it
// survives restarts. Thread-safe.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::replication {

// In the source's words.
struct ItemName {
  oci::RepositoryName repository;
  std::string reference{};  // a tag, or a digest; empty: the repository could not be listed
  auto operator<=>(const ItemName&) const = default;
};

enum class Blame {
  item,  // refused for its own sake
  line,  // the other side could not be reached, or broke off
};

struct Waiting {
  unsigned tries = 0;
  base::WallTime next_try{};
  std::string error{};
  Blame blame = Blame::item;
};

// 30 s, doubling up to an hour; for the line's sake up to 5 min, so that its return is noticed.
std::chrono::milliseconds patience_after(unsigned tries, double jitter, Blame blame);

class WaitingList {
 public:
  using Items = std::map<ItemName, Waiting>;

  WaitingList(index::Index& index, base::Metrics& metrics, std::string rule);

  // What an earlier life left. Called by everything below, too; cheap the second time.
  async::Task<> load();
  // One more try has failed: it waits twice as long as before.
  async::Task<> failed(ItemName item, std::string error, base::WallTime now, Blame blame);
  // Not its own fault: they wait until then, and no try is counted.
  async::Task<> postponed(std::vector<ItemName> items, std::string error, base::WallTime until,
                          Blame blame);
  // The other side is back: what waits for the line's sake is due now; how many that are.
  async::Task<std::size_t> hurry(base::WallTime now);
  // They need no more tries. No write when none of them waits.
  async::Task<> done(std::vector<ItemName> items);

  async::Task<Items> items();
  // Items whose time has come, at most `limit`.
  async::Task<std::vector<ItemName>> due(base::WallTime now, std::size_t limit);
  // When the first of them comes; absent when nothing waits.
  async::Task<std::optional<base::WallTime>> next_due();
  std::size_t size() const;

 private:
  async::Task<> keep(Items changed);
  void tell() const;

  index::Index& index_;
  base::Metrics& metrics_;
  const std::string rule_;
  const std::string scope_;
  mutable std::mutex mutex_;  // guards loaded_, items_
  bool loaded_ = false;
  Items items_;  // as the index has them
};

}  // namespace entrepot::replication
