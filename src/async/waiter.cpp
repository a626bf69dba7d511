#include "async/waiter.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entrepot::async {

// Every suspended waiter of one io_context. Without it a context could not destroy the coroutines
// that wait for somebody else's notify_all(), and they would keep each other alive for ever.
class WaiterRoll : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit WaiterRoll(asio::execution_context& context) : service(context) {}

  static WaiterRoll& of(const Executor& executor) {
    return asio::use_service<WaiterRoll>(asio::query(executor, asio::execution::context));
  }

  std::shared_ptr<Waiter::Door> door() const { return door_; }

  void enter(const std::shared_ptr<Waiter>& waiter) {
    waiter->next_ = first_;
    if (first_) first_->previous_ = waiter.get();
    first_ = waiter;
  }

  void leave(Waiter& waiter) {
    auto next = std::move(waiter.next_);
    if (next) next->previous_ = waiter.previous_;
    auto& incoming = waiter.previous_ ? waiter.previous_->next_ : first_;
    waiter.previous_ = nullptr;
    incoming = std::move(next);
  }

 private:
  void shutdown() override {
    {
      const std::lock_guard lock(door_->mutex);
      door_->open = false;
    }
    while (first_) {
      const auto waiter = first_;
      leave(*waiter);
      const auto abandoned = std::move(waiter->resumption_);
      waiter->timer_.reset();
    }
  }

  std::shared_ptr<Waiter::Door> door_ = std::make_shared<Waiter::Door>();
  std::shared_ptr<Waiter> first_;
};

Waiter::Waiter(Executor executor)
    : executor_(std::move(executor)), door_(WaiterRoll::of(executor_).door()) {}

bool Waiter::wake(Wake reason) {
  const std::lock_guard lock(door_->mutex);
  if (!door_->open) return false;
  if (woken_.exchange(true)) return false;
  reason_ = reason;
  asio::post(executor_, [self = shared_from_this()] { self->finish(); });
  return true;
}

void Waiter::finish() {
  if (!resumption_) return;
  WaiterRoll::of(executor_).leave(*this);
  timer_.reset();
  const auto resumption = std::move(resumption_);
  resumption->resume(reason_);
}

void Waiter::suspend(std::unique_ptr<Resumption> resumption, std::chrono::milliseconds longest) {
  resumption_ = std::move(resumption);
  WaiterRoll::of(executor_).enter(shared_from_this());
  if (longest >= unlimited) return;
  timer_.emplace(executor_, longest);
  timer_->async_wait([self = weak_from_this()](boost::system::error_code ec) {
    const auto waiter = self.lock();
    if (waiter && !ec) waiter->wake(Wake::timed_out);
  });
}

void Waiter::wake_on_cancel(asio::cancellation_slot slot) {
  if (!slot.is_connected()) return;
  slot.assign([self = weak_from_this()](asio::cancellation_type) {
    if (const auto waiter = self.lock()) waiter->wake(Wake::cancelled);
  });
}

Task<Wake> Waiter::park(std::chrono::milliseconds longest, OnCancel on_cancel) {
  const auto initiate = [self = shared_from_this(), longest, on_cancel](auto handler) {
    struct Coroutine : Resumption {
      explicit Coroutine(decltype(handler) h) : handler(std::move(h)) {}
      void resume(Wake reason) override { std::move(handler)(reason); }
      decltype(handler) handler;
    };
    if (on_cancel == OnCancel::wake) {
      self->wake_on_cancel(asio::get_associated_cancellation_slot(handler));
    }
    self->suspend(std::make_unique<Coroutine>(std::move(handler)), longest);
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Wake)>(
      initiate, asio::use_awaitable);
}

}  // namespace entrepot::async
