// A value many threads read while one replaces it: readers keep the value they got for as long as
// they hold it. (std::atomic<std::shared_ptr> of libstdc++ 12 is a data race by its own words: its
// load unlocks with relaxed order, which GCC 13 mended.)
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace entrepot::base {

template <typename Value>
class Published {
 public:
  explicit Published(std::shared_ptr<const Value> value) : value_(std::move(value)) {}

  std::shared_ptr<const Value> now() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void replace(std::shared_ptr<const Value> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);  // the old one is destroyed outside the lock
  }

 private:
  mutable std::mutex mutex_;  // guards value_
  std::shared_ptr<const Value> value_;
};

}  // namespace entrepot::base
