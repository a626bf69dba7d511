// Proof that every serving thread still turns its loop: each leaves a mark now and then; the
// supervisor hears WATCHDOG=1 only while all marks are young (reliability.md O-03). A thread that
// hangs in one handler makes its mark grow old, and the supervisor restarts us.
#pragma once

#include <atomic>
#include <chrono>
#include <vector>

#include "app/supervisor.hpp"
#include "entrepot/async/runtime.hpp"

namespace entrepot::app {

class Heartbeat {
 public:
  // Both outlive it; it outlives the coroutines of `runtime`. No effect without a watchdog.
  Heartbeat(async::Runtime& runtime, const Supervisor& supervisor);

  void start();

 private:
  using Tick = std::chrono::steady_clock::duration::rep;

  async::Task<> mark(std::size_t thread);
  async::Task<> report();
  bool all_alive() const;

  async::Runtime& runtime_;
  const Supervisor& supervisor_;
  std::chrono::milliseconds interval_{};  // of marks and reports: a quarter of what is allowed
  std::vector<std::atomic<Tick>> marks_;
};

}  // namespace entrepot::app
