#include "entrepot/async/limiter.hpp"

#include <boost/system/system_error.hpp>
#include <deque>
#include <mutex>

#include "async/waiter.hpp"

namespace entrepot::async {

struct Limiter::Permit::State : std::enable_shared_from_this<State> {
  // A granted permit lies in its entry until the coroutine picks it up, so that it returns by
  // itself when that coroutine is destroyed first.
  struct Entry {
    std::shared_ptr<Waiter> waiter;
    Permit permit;
  };

  explicit State(std::size_t limit) : free(limit) {}

  std::mutex mutex;  // guards everything below
  std::size_t free;
  std::deque<std::shared_ptr<Entry>> queue;

  void give_back() {
    std::shared_ptr<Entry> entry;  // outlives the lock: its permit may come back here
    const std::lock_guard lock(mutex);
    while (!queue.empty()) {
      entry = std::move(queue.front());
      queue.pop_front();
      entry->permit.state_ = shared_from_this();
      if (entry->waiter->wake(Wake::notified)) return;
      entry->permit.state_.reset();
    }
    ++free;
  }

  void leave(const std::shared_ptr<Entry>& entry) {
    const std::lock_guard lock(mutex);
    std::erase(queue, entry);
  }

  Permit permit() { return Permit(shared_from_this()); }

  // Takes its entry out of the queue when the coroutine goes without having been granted a permit.
  struct Place {
    std::shared_ptr<State> state;
    std::shared_ptr<Entry> entry;
    bool granted = false;

    Place(std::shared_ptr<State> s, std::shared_ptr<Entry> e)
        : state(std::move(s)), entry(std::move(e)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (!granted) state->leave(entry);
    }
  };
};

Limiter::Permit& Limiter::Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    const auto before = std::exchange(state_, std::move(other.state_));
    if (before) before->give_back();
  }
  return *this;
}

Limiter::Permit::~Permit() {
  if (state_) state_->give_back();
}

Limiter::Limiter(std::size_t limit) : state_(std::make_shared<Permit::State>(limit)) {}
Limiter::~Limiter() = default;

Task<std::optional<Limiter::Permit>> Limiter::acquire(std::chrono::milliseconds longest) {
  const auto state = state_;
  const auto entry = std::make_shared<Permit::State::Entry>();
  entry->waiter = std::make_shared<Waiter>(co_await this_executor());
  {
    const std::lock_guard lock(state->mutex);
    if (state->free > 0) {
      --state->free;
      co_return state->permit();
    }
    if (longest <= std::chrono::milliseconds::zero()) co_return std::nullopt;
    state->queue.push_back(entry);
  }
  Permit::State::Place place(state, entry);
  const Wake wake = co_await entry->waiter->park(longest, OnCancel::wake);
  place.granted = wake == Wake::notified;
  if (place.granted) co_return std::move(entry->permit);
  if (wake == Wake::cancelled) {
    throw boost::system::system_error(asio::error::operation_aborted, "acquire");
  }
  co_return std::nullopt;
}

}  // namespace entrepot::async
