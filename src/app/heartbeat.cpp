#include "app/heartbeat.hpp"

#include <algorithm>

namespace entrepot::app {
namespace {

std::chrono::steady_clock::rep now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

}  // namespace

Heartbeat::Heartbeat(async::Runtime& runtime, const Supervisor& supervisor)
    : runtime_(runtime), supervisor_(supervisor), marks_(runtime.size()) {
  if (const auto limit = supervisor.watchdog()) {
    interval_ = std::max(*limit / 4, std::chrono::milliseconds(10));
  }
}

void Heartbeat::start() {
  if (interval_ == interval_.zero()) return;
  for (std::size_t thread = 0; thread < marks_.size(); ++thread) {
    marks_[thread] = now();
    async::spawn(runtime_.executor(thread), mark(thread), "heartbeat");
  }
  async::spawn(runtime_.executor(0), report(), "watchdog");
}

async::Task<> Heartbeat::mark(std::size_t thread) {
  for (;;) {
    marks_[thread].store(now(), std::memory_order_relaxed);
    co_await async::sleep_for(interval_);
  }
}

bool Heartbeat::all_alive() const {
  const auto oldest = now() - std::chrono::steady_clock::duration(2 * interval_).count();
  return std::ranges::all_of(marks_, [oldest](const std::atomic<Tick>& mark) {
    return mark.load(std::memory_order_relaxed) >= oldest;
  });
}

async::Task<> Heartbeat::report() {
  for (;;) {
    if (all_alive()) supervisor_.tell("WATCHDOG=1");
    co_await async::sleep_for(interval_);
  }
}

}  // namespace entrepot::app
