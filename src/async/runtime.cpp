#include "entrepot/async/runtime.hpp"

#include <sched.h>

#include <boost/asio/executor_work_guard.hpp>
#include <exception>
#include <thread>

#include "entrepot/base/log.hpp"

namespace entrepot::async {

namespace {

std::size_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

// What escapes from a plain callback must not take the other connections of this thread along.
void run_context(asio::io_context& context) {
  const auto guard = asio::make_work_guard(context);
  while (!context.stopped()) {
    try {
      context.run();
    } catch (const std::exception& e) {
      base::log::error("callback failed", {{"error", e.what()}});
    }
  }
}

}  // namespace

Runtime::Runtime(std::size_t threads) {
  const auto count = threads == 0 ? usable_cores() : threads;
  for (std::size_t i = 0; i < count; ++i) {
    contexts_.push_back(std::make_unique<asio::io_context>(1));
  }
}

Runtime::~Runtime() = default;

void Runtime::run() {
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < contexts_.size(); ++i) {
    others.emplace_back([context = contexts_[i].get()] { run_context(*context); });
  }
  run_context(*contexts_.front());
}

void Runtime::stop() {
  for (const auto& context : contexts_) context->stop();
}

}  // namespace entrepot::async
