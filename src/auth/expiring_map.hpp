// A map that forgets: every entry after its time, the oldest when there are too many.
#pragma once

#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "auth/keyed_hash.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::auth {

// Not thread-safe: the owner has a lock.
template <class Value>
class ExpiringMap {
 public:
  explicit ExpiringMap(std::size_t most) : most_(most) {}

  // Null when absent or over; valid until the next put() or erase().
  Value* find(const Fingerprint& key, base::SteadyTime now) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    if (found->second.until > now) return &found->second.value;
    age_.erase(found->second.place);
    entries_.erase(found);
    return nullptr;
  }

  void put(const Fingerprint& key, Value value, base::SteadyTime until) {
    erase(key);
    if (entries_.size() >= most_) {
      const auto oldest = age_.front();
      erase(oldest);
    }
    const auto place = age_.insert(age_.end(), key);
    entries_.emplace(key, Entry{std::move(value), until, place});
  }

  void erase(const Fingerprint& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    age_.erase(found->second.place);
    entries_.erase(found);
  }

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Value value;
    base::SteadyTime until;
    std::list<Fingerprint>::iterator place;
  };

  std::size_t most_;
  std::list<Fingerprint> age_;  // oldest first
  std::unordered_map<Fingerprint, Entry> entries_;
};

}  // namespace entrepot::auth
