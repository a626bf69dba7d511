// Registries that asked to be left alone for a while (429, Retry-After), by their names in the
// configuration; shared by all rules. Thread-safe.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "entrepot/base/clock.hpp"

namespace entrepot::replication {

class Rests {
 public:
  void extend(const std::string& place, base::WallTime until) {
    const std::lock_guard lock(mutex_);
    auto& known = until_[place];
    known = std::max(known, until);
  }
  // The epoch when it never asked.
  base::WallTime until(const std::string& place) const {
    const std::lock_guard lock(mutex_);
    const auto found = until_.find(place);
    return found == until_.end() ? base::WallTime{} : found->second;
  }

 private:
  mutable std::mutex mutex_;  // guards until_
  std::map<std::string, base::WallTime> until_;
};

}  // namespace entrepot::replication
