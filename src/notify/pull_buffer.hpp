// Pulls that wait to be written down: bounded, because they are many and best effort. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "entrepot/index/events.hpp"

namespace entrepot::notify {

class PullBuffer {
 public:
  enum class Added { first, more, dropped };
  static constexpr std::size_t most = 4096;

  // first: nothing waited before; dropped: there is no room.
  Added add(index::Event event);
  // The oldest, at most `limit`.
  std::vector<index::Event> take(std::size_t limit);

 private:
  std::mutex mutex_;  // guards waiting_
  std::deque<index::Event> waiting_;
};

}  // namespace entrepot::notify
