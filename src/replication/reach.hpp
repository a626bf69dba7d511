// Who could not be reached, by names of the configuration, and who was heard of again; shared by
// all rules, so that the first that hears of a registry wakes the others. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/registry/failure.hpp"

namespace entrepot::replication {

// The line or the other side as a whole, as far as a failure tells.
inline bool is_silence(registry::FailureKind kind) {
  return kind == registry::FailureKind::timeout || kind == registry::FailureKind::broken ||
         kind == registry::FailureKind::offline;
}

class Reach {
 public:
  void lost(const std::string& place) {
    const std::lock_guard lock(mutex_);
    known_[place].away = true;
  }
  void heard(const std::string& place) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = known_.find(place);
      if (found == known_.end() || !found->second.away) return;
      found->second.away = false;
      ++found->second.returns;
    }
    stirred_.notify_all();
  }

  bool is_away(const std::string& place) const { return of(place).away; }
  std::uint64_t returns(const std::string& place) const { return of(place).returns; }

  // Of all rules: woken when somebody came back, and by whoever wants them to look up.
  async::Broadcast& stirred() { return stirred_; }

 private:
  struct Known {
    bool away = false;
    std::uint64_t returns = 0;
  };
  Known of(const std::string& place) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(place);
    return found == known_.end() ? Known{} : found->second;
  }

  mutable std::mutex mutex_;  // guards known_
  std::map<std::string, Known> known_;
  async::Broadcast stirred_;
};

}  // namespace entrepot::replication
