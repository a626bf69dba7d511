// Answers that are believed for a short while: "there is no such thing", a list of tags.
//
// In memory only and bounded: when it is full the expired go first, then any. One for each mirror,
// so that what one account was told never answers for another (reliability.md C-23). Keys are
// canonical names, never bare digests. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "entrepot/base/clock.hpp"

namespace entrepot::mirror {

template <class Value>
class ShortMemory {
 public:
  explicit ShortMemory(std::size_t capacity) : capacity_(capacity) {}

  std::optional<Value> find(const std::string& key, base::SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.until <= now) return std::nullopt;
    return found->second.value;
  }

  void remember(const std::string& key, Value value, base::SteadyTime now,
                base::Milliseconds longest) {
    if (longest <= base::Milliseconds::zero()) return;
    const std::lock_guard lock(mutex_);
    if (!entries_.contains(key)) make_room(now);
    entries_.insert_or_assign(key, Entry{.value = std::move(value), .until = now + longest});
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    Value value;
    base::SteadyTime until;
  };

  void make_room(base::SteadyTime now) {
    if (entries_.size() < capacity_) return;
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.until <= now; });
    if (entries_.size() >= capacity_) entries_.erase(entries_.begin());
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;  // guards entries_
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace entrepot::mirror
