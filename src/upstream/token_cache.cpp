#include "upstream/token_cache.hpp"

namespace entrepot::upstream {

std::optional<std::string> TokenCache::find(const TokenKey& key) {
  const auto now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || now >= found->second.good_until) return std::nullopt;
  return found->second.value;
}

void TokenCache::put(const TokenKey& key, const Token& token) {
  const auto now = clock_.steady();
  const std::chrono::milliseconds life = token.lifetime;
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= most) make_room(now);
  entries_[key] = {token.value, now + life * 9 / 10};
}

void TokenCache::forget(const TokenKey& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.value == value) entries_.erase(found);
}

void TokenCache::make_room(base::SteadyTime now) {
  std::erase_if(entries_, [now](const auto& entry) { return now >= entry.second.good_until; });
  if (entries_.size() >= most) entries_.clear();  // each can be had again
}

}  // namespace entrepot::upstream
