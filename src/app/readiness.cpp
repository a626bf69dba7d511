#include "app/readiness.hpp"

#include <unistd.h>

namespace entrepot::app {
namespace {

// Below this a fill of any layer fails at once; the index still has its own room.
constexpr std::uint64_t least_free = 16 << 20;

std::string fault_of_disk(const store::BlobStore& store, const std::filesystem::path& data) {
  if (::access(data.c_str(), W_OK | X_OK) != 0) return "data directory is not writable";
  try {
    if (store.free_bytes() < least_free) return "disk full";
  } catch (const std::system_error&) {
    return "data directory cannot be read";
  }
  return {};
}

}  // namespace

std::string Readiness::reason() const {
  const std::lock_guard lock(mutex_);
  return draining_ ? "draining" : disk_;
}

void Readiness::begin_draining() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

bool Readiness::draining() const {
  const std::lock_guard lock(mutex_);
  return draining_;
}

void Readiness::look_at_disk(const store::BlobStore& store, const std::filesystem::path& data) {
  auto fault = fault_of_disk(store, data);
  const std::lock_guard lock(mutex_);
  disk_ = std::move(fault);
}

}  // namespace entrepot::app
