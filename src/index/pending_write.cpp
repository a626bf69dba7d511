#include "index/pending_write.hpp"

namespace entrepot::index {

bool PendingWrite::start() {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::over) return false;
  stage_ = Stage::started;
  return true;
}

void PendingWrite::finish() {
  {
    const std::lock_guard lock(mutex_);
    stage_ = Stage::over;
  }
  changed_.notify_all();
  finished_.notify_all();
}

void PendingWrite::abandon() {
  std::unique_lock lock(mutex_);
  if (stage_ == Stage::waiting) stage_ = Stage::over;
  changed_.wait(lock, [this] { return stage_ == Stage::over; });
}

async::Task<> PendingWrite::done() {
  for (;;) {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stage_ == Stage::over) co_return;
      ticket = finished_.ticket();
    }
    co_await finished_.wait(ticket);
  }
}

}  // namespace entrepot::index
