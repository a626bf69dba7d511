// An answer that one waits for with limited patience, while whoever makes it goes on regardless.
#pragma once

#include <chrono>
#include <exception>
#include <mutex>
#include <optional>

#include "entrepot/async/broadcast.hpp"

namespace entrepot::mirror {

// One maker, any number who wait. Thread-safe.
template <class Value>
class Patient {
 public:
  void give(Value value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    given_.notify_all();
  }

  void fail(std::exception_ptr failure) {
    {
      const std::lock_guard lock(mutex_);
      failure_ = failure;
    }
    given_.notify_all();
  }

  // Absent when there is none within `longest`. Throws what the maker failed with.
  async::Task<std::optional<Value>> wait(std::chrono::milliseconds longest) {
    const auto until = std::chrono::steady_clock::now() + longest;
    for (;;) {
      std::uint64_t ticket = 0;
      {
        const std::lock_guard lock(mutex_);
        if (failure_) std::rethrow_exception(failure_);
        if (value_) co_return value_;
        ticket = given_.ticket();
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0) co_return std::nullopt;
      co_await given_.wait(ticket, left);
    }
  }

 private:
  std::mutex mutex_;  // guards value_ and failure_
  std::optional<Value> value_;
  std::exception_ptr failure_;
  async::Broadcast given_;
};

}  // namespace entrepot::mirror
