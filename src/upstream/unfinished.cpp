#include "upstream/unfinished.hpp"

#include <algorithm>

namespace entrepot::upstream {

void Unfinished::keep(Key key, Upload upload) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= most) kept_.pop_front();
  kept_.emplace_back(std::move(key), std::move(upload));
}

std::optional<Upload> Unfinished::take(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(kept_, key, &std::pair<Key, Upload>::first);
  if (found == kept_.end()) return std::nullopt;
  auto upload = std::move(found->second);
  kept_.erase(found);
  return upload;
}

}  // namespace entrepot::upstream
