#include "index/pending_write.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

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

std::optional<std::uint64_t> PendingWrite::ticket() {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::over) return std::nullopt;
  return finished_.ticket();
}

async::Task<> PendingWrite::done() {
  namespace this_coro = async::asio::this_coro;
  // Else what was cancelled once could not wait again.
  const bool throws = co_await this_coro::throw_if_cancelled();
  co_await this_coro::throw_if_cancelled(false);
  while (const auto unfinished = ticket()) {
    try {
      co_await finished_.wait(*unfinished);
    } catch (const boost::system::system_error& error) {
      if (error.code() != async::asio::error::operation_aborted) throw;
    }
  }
  co_await this_coro::throw_if_cancelled(throws);
}

}  // namespace entrepot::index
