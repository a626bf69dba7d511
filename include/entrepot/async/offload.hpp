// Blocking work (fsync, directory walks, bcrypt, helper programs) on a small pool of its own
// threads, so that a serving thread never waits for a disk.
//
// A hop and back costs about 30 µs: worth it above 100 µs of work. The pool outlives every task
// that uses it; its destructor runs what is queued, then joins.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // Runs `work` on the pool and resumes the caller on its own executor with the result or the
  // exception. Thread-safe. `work` may refer to the caller's frame: the caller is suspended.
  template <class Work>
  auto run(Work work) -> Task<std::invoke_result_t<Work&>> {
    using Result = std::invoke_result_t<Work&>;
    if constexpr (std::is_void_v<Result>) {
      co_await run_erased([&work] { work(); });
    } else {
      std::optional<Result> result;
      co_await run_erased([&work, &result] { result.emplace(work()); });
      co_return std::move(*result);
    }
  }

  // Runs `work` on the pool for nobody who waits; it must not throw. Thread-safe.
  void post(std::function<void()> work);

 private:
  Task<> run_erased(std::function<void()> work);
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace entrepot::async
