#include "notify/pull_buffer.hpp"

#include <algorithm>
#include <iterator>

namespace entrepot::notify {

PullBuffer::Added PullBuffer::add(index::Event event) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= most) return Added::dropped;
  waiting_.push_back(std::move(event));
  return waiting_.size() == 1 ? Added::first : Added::more;
}

std::vector<index::Event> PullBuffer::take(std::size_t limit) {
  const std::lock_guard lock(mutex_);
  const auto count = std::min(limit, waiting_.size());
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<index::Event> taken(std::make_move_iterator(waiting_.begin()),
                                  std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

}  // namespace entrepot::notify
