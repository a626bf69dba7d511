#include "entrepot/async/deadline.hpp"

#include <boost/asio/steady_timer.hpp>
#include <cstdint>

namespace entrepot::async {

struct Deadline::State {
  State(const Executor& executor, std::function<void()> on_expiry)
      : timer(executor), expire(std::move(on_expiry)) {}

  asio::steady_timer timer;
  std::function<void()> expire;
  // A timer's handler may already be queued when it is cancelled; it counts only if nothing was
  // armed or disarmed since.
  std::uint64_t arming = 0;
  bool expired = false;
};

Deadline::Deadline(Executor executor, std::function<void()> expire)
    : state_(std::make_shared<State>(std::move(executor), std::move(expire))) {}

Deadline::~Deadline() { disarm(); }

void Deadline::arm(std::chrono::milliseconds after) {
  const auto arming = ++state_->arming;
  state_->expired = false;
  state_->timer.expires_after(after);
  const std::weak_ptr<State> weak = state_;
  state_->timer.async_wait([weak, arming](boost::system::error_code ec) {
    const auto state = weak.lock();
    if (ec || !state || state->arming != arming) return;
    state->expired = true;
    state->expire();
  });
}

void Deadline::disarm() {
  ++state_->arming;
  state_->timer.cancel();
}

bool Deadline::expired() const { return state_->expired; }

}  // namespace entrepot::async
