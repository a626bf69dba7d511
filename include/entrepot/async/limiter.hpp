// At most N holders at once, first come first served, across threads. Held by RAII.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

class Limiter {
 public:
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&&) noexcept = default;
    // Gives back what it held before.
    Permit& operator=(Permit&& other) noexcept;
    ~Permit();

   private:
    friend class Limiter;
    struct State;
    explicit Permit(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  explicit Limiter(std::size_t limit);
  ~Limiter();

  // Absent when no permit came free within `longest`; throws operation_aborted when the awaiting
  // task is cancelled. Thread-safe.
  Task<std::optional<Permit>> acquire(std::chrono::milliseconds longest);

 private:
  std::shared_ptr<Permit::State> state_;
};

}  // namespace entrepot::async
