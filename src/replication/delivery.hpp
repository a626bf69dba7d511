// A list of a source's changes, brought here in order: the content each needs is copied, several at
// once; as soon as the first ones have theirs they are applied, together with the position in one
// transaction.
//
// What this registry or a single item is to blame for goes to the waiting list and stops nothing.
// When the line is to blame, the rest is left for the next delivery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/registry/failure.hpp"
#include "replication/carry.hpp"
#include "replication/errand.hpp"
#include "replication/position.hpp"
#include "replication/settlement.hpp"

namespace entrepot::replication {

// How often in a row the line was to blame while nothing moved, by item; kept from one delivery to
// the next, so that one item that never comes does not hold up all others for ever.
class Setbacks {
 public:
  // True: enough, it goes to the waiting list.
  bool add(const ItemName& item) { return ++count_[item] >= enough; }
  void forget(const ItemName& item) { count_.erase(item); }

 private:
  static constexpr unsigned enough = 6;
  std::map<ItemName, unsigned> count_;
};

struct DeliveryOrder {
  std::vector<index::Change> changes{};  // in the source's words, ascending; of the rule
  // Of the Journal: where the list begins, and where it ends when all is settled; absent: the list
  // is no part of a Journal.
  std::optional<Position> position{};
  std::uint64_t end = 0;
  RunListener listener{};
  // Called when some are settled: where that is, and when the first of the others was made.
  std::function<void(const std::optional<Position>&, std::optional<base::WallTime> oldest)>
      settled{};
};

struct Delivered {
  RunReport report{};  // of items: tags and manifests
  std::optional<Position> position{};
  std::optional<registry::Failure> trouble{};  // the line's: there is more to do
};

class Delivery {
 public:
  Delivery(SharedErrand errand, Setbacks& setbacks, DeliveryOrder order);

  // Throws CalledOff, operation_aborted when cancelled, and when the index cannot be written.
  async::Task<Delivered> run();

 private:
  static constexpr std::size_t images_at_once = 4;
  enum class Content { coming, here, none, failed };
  struct Row {
    index::Change change;  // in the words of here
    ItemName item;         // in the source's
    Word word = Word::last;
    Content content = Content::here;
    bool along = false;  // no row of the Journal: it comes because of another one
  };
  struct Job {
    Image image;
    std::vector<std::size_t> rows{};
    bool covered = false;                  // one of its rows is of a tag the rule means
    std::optional<oci::Digest> subject{};  // what it belongs to, once that is known
  };

  void take_rows(std::vector<index::Change> changes);
  async::Task<> make_jobs();
  async::Task<> do_job(std::size_t number);
  async::Task<Content> bring(Job& job);
  async::Task<Content> judge(Job& job, registry::Failure failure, bool moved);
  async::Task<bool> is_gone(Image image);
  bool called_off() const;

  // Of a rule that takes some things only.
  async::Task<> add_companions();
  void add_row_along(index::Change change, const std::map<ItemName, std::size_t>& wanted);
  async::Task<> do_belongings(std::vector<std::size_t> open);
  async::Task<std::optional<Content>> set_aside(Job& job);
  async::Task<registry::Answer<std::optional<oci::Digest>>> subject_of(const Job& job);

  async::Task<> settle_ready();
  async::Task<> settle_up_to(std::size_t end);
  async::Task<bool> try_to_settle(std::size_t end, std::vector<Settled>& outcomes);
  async::Task<> put_to_waiting(ItemName item, std::string error, Blame blame);
  async::Task<> tell(std::size_t begin, const std::vector<Settled>& outcomes);
  void tell_item(const ItemName& item, const char* outcome);
  std::optional<Position> position_at(std::size_t end) const;
  std::optional<base::WallTime> oldest_open() const;

  const SharedErrand errand_;
  Setbacks& setbacks_;
  const RunListener listener_;
  const decltype(DeliveryOrder::settled) heard_;
  const std::optional<Position> begin_;
  const std::uint64_t end_;
  std::vector<Row> rows_;
  std::set<ItemName> nameless_;  // the rule's rename makes no name of their repository
  std::vector<Job> jobs_;
  std::size_t settled_ = 0;  // rows
  bool settling_ = false;
  std::size_t troubles_in_a_row_ = 0;
  std::uint64_t bytes_ = 0;
  Delivered result_;
};

}  // namespace entrepot::replication
