#include "entrepot/async/broadcast.hpp"

#include <boost/system/system_error.hpp>
#include <mutex>
#include <vector>

#include "async/waiter.hpp"

namespace entrepot::async {

struct Broadcast::State {
  std::mutex mutex;  // guards everything below
  std::uint64_t generation = 0;
  std::vector<std::shared_ptr<Waiter>> waiters;

  void forget(const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    std::erase(waiters, waiter);
  }
};

Broadcast::Broadcast() : state_(std::make_shared<State>()) {}
Broadcast::~Broadcast() = default;

std::uint64_t Broadcast::ticket() const {
  const std::lock_guard lock(state_->mutex);
  return state_->generation;
}

Task<bool> Broadcast::wait(std::uint64_t ticket, std::chrono::milliseconds longest) {
  const auto state = state_;
  const auto waiter = std::make_shared<Waiter>(co_await this_executor());
  {
    const std::lock_guard lock(state->mutex);
    if (state->generation != ticket) co_return true;
    state->waiters.push_back(waiter);
  }
  const Wake wake = co_await waiter->park(longest, OnCancel::wake);
  if (wake == Wake::notified) co_return true;
  state->forget(waiter);
  if (wake == Wake::cancelled) {
    throw boost::system::system_error(asio::error::operation_aborted, "wait");
  }
  co_return false;
}

void Broadcast::notify_all() {
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock(state_->mutex);
    ++state_->generation;
    waiters.swap(state_->waiters);
  }
  for (const auto& waiter : waiters) waiter->wake(Wake::notified);
}

}  // namespace entrepot::async
