// One suspended coroutine that somebody else will wake: the common half of Broadcast, Limiter and
// BlockingPool.
//
// The first wake decides, from whichever thread it comes; the coroutine always resumes on its own
// executor, which must be that of a single-threaded io_context. A waiter whose context is destroyed
// first takes its coroutine along and can be woken no more.
#pragma once

#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

enum class Wake { notified, timed_out, cancelled };
// What a cancelled coroutine does while it waits: gives up, or stays because its frame is in use.
enum class OnCancel { wake, stay };

// Longer waits than this are waits without a limit, and cost no timer.
inline constexpr std::chrono::hours unlimited{24 * 365};

class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  // Called on the thread of `executor`.
  explicit Waiter(Executor executor);

  // False when it was woken before or is gone with its context. Thread-safe.
  bool wake(Wake reason);

  // Suspends the calling coroutine; a wake that came before returns at once. Called once.
  Task<Wake> park(std::chrono::milliseconds longest, OnCancel on_cancel);

 private:
  friend class WaiterRoll;
  // Posting to a context that another thread is destroying is a race: both pass this door.
  struct Door {
    std::mutex mutex;  // guards open
    bool open = true;
  };

  // The suspended coroutine; destroying it instead of resuming it destroys the coroutine.
  struct Resumption {
    virtual ~Resumption() = default;
    virtual void resume(Wake reason) = 0;
  };

  void suspend(std::unique_ptr<Resumption> resumption, std::chrono::milliseconds longest);
  void wake_on_cancel(asio::cancellation_slot slot);
  void finish();

  Executor executor_;
  std::shared_ptr<Door> door_;
  std::atomic<bool> woken_ = false;
  Wake reason_ = Wake::notified;  // written by the winning wake() before it posts
  std::unique_ptr<Resumption> resumption_;
  std::optional<asio::steady_timer> timer_;
  std::shared_ptr<Waiter> next_;  // the roll of its context; touched on that thread only
  Waiter* previous_ = nullptr;
};

}  // namespace entrepot::async
