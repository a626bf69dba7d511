// Wakes every coroutine that waits for a state to change, on whichever threads they live.
//
// The state itself belongs to the owner and is guarded by the owner's mutex. A waiter takes a
// ticket *while it holds that mutex and has seen that it must wait*, releases it, then awaits the
// ticket; notify_all() called after the change can therefore not be missed. Each waiter resumes on
// its own executor. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

class Broadcast {
 public:
  Broadcast();
  ~Broadcast();
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;

  // Changes with every notify_all(); see wait().
  std::uint64_t ticket() const;

  // Returns once a notify_all() has happened after `ticket` was taken (at once when one already
  // has), or after `longest`; true when notified. Throws operation_aborted when the awaiting task
  // is cancelled.
  Task<bool> wait(std::uint64_t ticket,
                  std::chrono::milliseconds longest = std::chrono::hours(24 * 365));

  void notify_all();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace entrepot::async
