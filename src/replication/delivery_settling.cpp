// Delivery: what is ready is applied.
#include <algorithm>
#include <chrono>
#include <utility>

#include "entrepot/oci/refusal.hpp"
#include "replication/delivery.hpp"

namespace entrepot::replication {

namespace {

// Leaves a transaction for nothing to come of it.
struct Refused : std::exception {
  std::vector<std::pair<std::size_t, std::string>> rows{};
  const char* what() const noexcept override { return "refused here"; }
};

class Flag {
 public:
  explicit Flag(bool& flag) : flag_(flag) { flag_ = true; }
  ~Flag() { flag_ = false; }
  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;

 private:
  bool& flag_;
};

const char* word_of(Settled settled) {
  switch (settled) {
    case Settled::done:
      return "copied";
    case Settled::conflict:
      return "conflict";
    case Settled::held:
    case Settled::passed:
    case Settled::missing:
      break;
  }
  return nullptr;
}

}  // namespace

// One at a time; who comes meanwhile leaves his rows to the one at work.
async::Task<> Delivery::settle_ready() {
  if (settling_) co_return;
  const Flag flag(settling_);
  for (;;) {
    auto end = settled_;
    while (end < rows_.size() && rows_[end].content != Content::coming) ++end;
    const bool more =
        end > settled_ || (end == rows_.size() && result_.position != position_at(end));
    if (!more) co_return;
    co_await settle_up_to(end);
  }
}

std::optional<Position> Delivery::position_at(std::size_t end) const {
  if (!begin_) return std::nullopt;
  auto position = *begin_;
  if (end == rows_.size()) {
    position.since = end_;
  } else if (end > 0) {
    position.since = rows_[end - 1].change.sequence;
  }
  return position;
}

async::Task<> Delivery::settle_up_to(std::size_t end) {
  std::vector<Settled> outcomes;
  while (!co_await try_to_settle(end, outcomes)) {
  }
  const auto begin = std::exchange(settled_, end);
  result_.position = position_at(end);
  co_await tell(begin, outcomes);
}

// False: some were refused and wait now; the others are to be tried again.
async::Task<bool> Delivery::try_to_settle(std::size_t end, std::vector<Settled>& outcomes) {
  Refused refused;
  try {
    outcomes = co_await errand_->house.index.write([&](index::Batch& batch) {
      std::vector<Settled> found;
      Refused all;
      for (auto i = settled_; i < end; ++i) {
        const auto& row = rows_[i];
        found.push_back(Settled::passed);
        if (row.content == Content::failed) continue;
        try {
          found.back() = settle(batch, row.change, row.word, *errand_, errand_->now());
          const bool lost = found.back() == Settled::missing && row.content == Content::here &&
                            wants_content(batch, row.change, row.word, *errand_);
          if (lost) all.rows.emplace_back(i, vanished);
        } catch (const oci::Refusal& refusal) {
          all.rows.emplace_back(i, refusal.detail);
        }
      }
      if (!all.rows.empty()) throw all;
      if (const auto position = position_at(end)) {
        write_position(batch, errand_->name(), *position);
      }
      return found;
    });
    co_return true;
  } catch (Refused& error) {
    refused = std::move(error);
  }
  for (auto& [row, error] : refused.rows) {
    co_await put_to_waiting(rows_[row].item, std::move(error), Blame::item);
    rows_[row].content = Content::failed;
  }
  co_return false;
}

std::optional<base::WallTime> Delivery::oldest_open() const {
  std::optional<base::WallTime> oldest;
  for (auto i = settled_; i < rows_.size(); ++i) {
    if (rows_[i].along) continue;
    const auto time = rows_[i].change.version.time;
    oldest = oldest ? std::min(*oldest, time) : time;
  }
  return oldest;
}

async::Task<> Delivery::put_to_waiting(ItemName item, std::string error, Blame blame) {
  co_await errand_->waiting.failed(item, std::move(error), errand_->now(), blame);
  ++result_.report.failed;
  tell_item(item, "failed");
}

void Delivery::tell_item(const ItemName& item, const char* outcome) {
  errand_->house.metrics.replication_item(errand_->name(), outcome);
  if (listener_.item) listener_.item(item.repository.text(), item.reference, outcome);
}

async::Task<> Delivery::tell(std::size_t begin, const std::vector<Settled>& outcomes) {
  std::vector<ItemName> at_rest;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& row = rows_[begin + i];
    if (row.content == Content::failed) continue;
    at_rest.push_back(row.item);
    const char* word = word_of(outcomes[i]);
    if (word == nullptr) continue;
    const bool removed = outcomes[i] == Settled::done && !row.change.to;
    if (outcomes[i] == Settled::done) ++(removed ? result_.report.removed : result_.report.changed);
    tell_item(row.item, removed ? "removed" : word);
  }
  if (listener_.images) listener_.images(settled_, rows_.size());
  if (heard_) heard_(result_.position, oldest_open());
  if (errand_->waiting.size() > 0) co_await errand_->waiting.done(std::move(at_rest));
}

}  // namespace entrepot::replication
