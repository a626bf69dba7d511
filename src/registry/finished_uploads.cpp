#include "registry/finished_uploads.hpp"

#include <utility>

namespace entrepot::registry {

namespace {
constexpr std::size_t most_remembered = 4096;
}  // namespace

void FinishedUploads::remember(UploadKey key, const oci::Digest& digest) {
  const auto id = key.id;
  const std::lock_guard lock(mutex_);
  if (!ends_.emplace(id, End{std::move(key), digest}).second) return;
  order_.push_back(id);
  if (order_.size() <= most_remembered) return;
  ends_.erase(order_.front());
  order_.pop_front();
}

bool FinishedUploads::in(const UploadKey& key, const oci::Digest& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = ends_.find(key.id);
  if (found == ends_.end()) return false;
  const auto& end = found->second;
  return end.digest == digest && end.key.repository == key.repository &&
         end.key.principal == key.principal;
}

}  // namespace entrepot::registry
