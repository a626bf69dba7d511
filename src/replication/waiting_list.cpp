#include "replication/waiting_list.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/base/backoff.hpp"
#include "entrepot/base/units.hpp"
#include "entrepot/index/notes.hpp"

namespace entrepot::replication {

namespace {

constexpr std::size_t notes_at_once = 1000;
constexpr std::size_t longest_error = 500;

// Neither a name nor a reference has a blank.
std::string key_of(const ItemName& item) { return item.repository.text() + " " + item.reference; }

std::optional<ItemName> item_of(std::string_view key) {
  const auto blank = key.find(' ');
  if (blank == key.npos) return std::nullopt;
  auto repository = oci::RepositoryName::parse(key.substr(0, blank));
  if (!repository) return std::nullopt;
  return ItemName{std::move(*repository), std::string(key.substr(blank + 1))};
}

// "tries time error"; an l behind the tries: it was the line.
std::string value_of(const Waiting& waiting) {
  return std::to_string(waiting.tries) + (waiting.blame == Blame::line ? "l " : " ") +
         std::to_string(waiting.next_try.time_since_epoch().count()) + " " + waiting.error;
}

std::optional<Waiting> waiting_of(std::string_view value) {
  const auto first = value.find(' ');
  const auto second = value.find(' ', first + 1);
  if (first == value.npos || second == value.npos) return std::nullopt;
  const bool line = value.substr(0, first).ends_with('l');
  const auto tries = base::parse_unsigned(value.substr(0, line ? first - 1 : first));
  const auto time = base::parse_unsigned(value.substr(first + 1, second - first - 1));
  if (!tries || !time) return std::nullopt;
  return Waiting{.tries = static_cast<unsigned>(std::min<std::uint64_t>(*tries, 1'000'000)),
                 .next_try = base::WallTime(base::Milliseconds(*time)),
                 .error = std::string(value.substr(second + 1)),
                 .blame = line ? Blame::line : Blame::item};
}

WaitingList::Items read_items(const index::View& view, const std::string& scope) {
  WaitingList::Items items;
  std::string after;
  for (;;) {
    const auto page = index::notes(view, scope, after, notes_at_once);
    for (const auto& note : page) {
      auto item = item_of(note.key);
      auto waiting = waiting_of(note.value);
      if (item && waiting) items.emplace(std::move(*item), std::move(*waiting));
    }
    if (page.size() < notes_at_once) return items;
    after = page.back().key;
  }
}

}  // namespace

std::chrono::milliseconds patience_after(unsigned tries, double jitter, Blame blame) {
  constexpr base::Patience with_item{.first = std::chrono::seconds(30),
                                     .longest = std::chrono::hours(1)};
  constexpr base::Patience with_line{.first = std::chrono::seconds(30),
                                     .longest = std::chrono::minutes(5)};
  return base::backoff(tries, jitter, {}, blame == Blame::line ? with_line : with_item);
}

WaitingList::WaitingList(index::Index& index, base::Metrics& metrics, std::string rule)
    : index_(index),
      metrics_(metrics),
      rule_(std::move(rule)),
      scope_("replication waiting " + rule_) {}

async::Task<> WaitingList::load() {
  {
    const std::lock_guard lock(mutex_);
    if (loaded_) co_return;
  }
  auto found =
      co_await index_.read([this](const index::View& view) { return read_items(view, scope_); });
  {
    const std::lock_guard lock(mutex_);
    if (loaded_) co_return;
    loaded_ = true;
    items_ = std::move(found);
  }
  tell();
}

// Memory follows what is durable.
async::Task<> WaitingList::keep(Items changed) {
  co_await index_.write([this, &changed](index::Batch& batch) {
    for (const auto& [item, waiting] : changed) {
      index::set_note(batch, scope_, key_of(item), value_of(waiting));
    }
  });
  {
    const std::lock_guard lock(mutex_);
    for (auto& [item, waiting] : changed) items_.insert_or_assign(item, std::move(waiting));
  }
  tell();
}

async::Task<> WaitingList::failed(ItemName item, std::string error, base::WallTime now,
                                  Blame blame) {
  co_await load();
  Waiting waiting;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = items_.find(item); found != items_.end()) waiting = found->second;
  }
  ++waiting.tries;
  waiting.next_try = now + patience_after(waiting.tries, base::draw_jitter(), blame);
  waiting.blame = blame;
  waiting.error = error.substr(0, longest_error);
  Items changed;
  changed.emplace(std::move(item), std::move(waiting));
  co_await keep(std::move(changed));
}

async::Task<> WaitingList::postponed(std::vector<ItemName> items, std::string error,
                                     base::WallTime until, Blame blame) {
  if (items.empty()) co_return;
  co_await load();
  Items changed;
  {
    const std::lock_guard lock(mutex_);
    for (auto& item : items) {
      const auto found = items_.find(item);
      Waiting waiting = found == items_.end() ? Waiting{} : found->second;
      waiting.next_try = std::max(waiting.next_try, until);
      if (waiting.tries == 0) {
        waiting.error = error.substr(0, longest_error);
        waiting.blame = blame;
      }
      changed.insert_or_assign(std::move(item), std::move(waiting));
    }
  }
  co_await keep(std::move(changed));
}

async::Task<std::size_t> WaitingList::hurry(base::WallTime now) {
  co_await load();
  Items changed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [item, waiting] : items_) {
      if (waiting.blame != Blame::line || waiting.next_try <= now) continue;
      changed.emplace(item, waiting).first->second.next_try = now;
    }
  }
  const auto count = changed.size();
  if (count > 0) co_await keep(std::move(changed));
  co_return count;
}

async::Task<> WaitingList::done(std::vector<ItemName> items) {
  co_await load();
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(items, [this](const ItemName& item) { return !items_.contains(item); });
  }
  if (items.empty()) co_return;
  co_await index_.write([this, &items](index::Batch& batch) {
    for (const auto& item : items) index::erase_note(batch, scope_, key_of(item));
  });
  {
    const std::lock_guard lock(mutex_);
    for (const auto& item : items) items_.erase(item);
  }
  tell();
}

async::Task<WaitingList::Items> WaitingList::items() {
  co_await load();
  const std::lock_guard lock(mutex_);
  co_return items_;
}

async::Task<std::vector<ItemName>> WaitingList::due(base::WallTime now, std::size_t limit) {
  co_await load();
  std::vector<ItemName> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [item, waiting] : items_) {
    if (found.size() == limit) break;
    if (waiting.next_try <= now) found.push_back(item);
  }
  co_return found;
}

async::Task<std::optional<base::WallTime>> WaitingList::next_due() {
  co_await load();
  std::optional<base::WallTime> first;
  const std::lock_guard lock(mutex_);
  for (const auto& [item, waiting] : items_) {
    first = first ? std::min(*first, waiting.next_try) : waiting.next_try;
  }
  co_return first;
}

std::size_t WaitingList::size() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

void WaitingList::tell() const { metrics_.replication_waiting(rule_, size()); }

}  // namespace entrepot::replication
