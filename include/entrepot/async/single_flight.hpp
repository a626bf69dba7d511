// Many callers, one piece of work: whoever asks for a key that is already being worked on waits for
// that work and receives the same outcome, value or exception, on its own thread.
//
// The work runs as a task of its own on the first caller's executor: that caller may vanish, the
// others still get their answer. Outcomes are not kept afterwards; caches live elsewhere.
// Thread-safe. `Value` must be copyable.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/task.hpp"

namespace entrepot::async {

enum class Role { leader, joined };

template <class Key, class Value>
class SingleFlight {
 public:
  using Work = std::function<Task<Value>()>;

  // `work` is called at most once per flight; what it captures must own its data.
  Task<std::pair<Value, Role>> run(Key key, Work work) {
    std::shared_ptr<Flight> flight;
    Role role = Role::joined;
    {
      const std::lock_guard lock(table_->mutex);
      auto& slot = table_->flights[key];
      if (!slot) {
        slot = std::make_shared<Flight>();
        role = Role::leader;
      }
      flight = slot;
    }
    if (role == Role::leader) {
      const auto executor = co_await this_executor();
      spawn(executor, lead(table_, key, flight, std::move(work)), "single flight");
    }
    co_return std::pair<Value, Role>(co_await outcome(flight), role);
  }

 private:
  struct Flight {
    std::mutex mutex;  // guards value, failure
    std::optional<Value> value;
    std::exception_ptr failure;
    Broadcast done;
  };
  struct Table {
    std::mutex mutex;  // guards flights
    std::map<Key, std::shared_ptr<Flight>> flights;
  };

  static Task<> lead(std::shared_ptr<Table> table, Key key, std::shared_ptr<Flight> flight,
                     Work work) {
    std::optional<Value> value;
    std::exception_ptr failure;
    try {
      value.emplace(co_await work());
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(table->mutex);
      table->flights.erase(key);
    }
    {
      const std::lock_guard lock(flight->mutex);
      flight->value = std::move(value);
      flight->failure = std::move(failure);
    }
    flight->done.notify_all();
  }

  static Task<Value> outcome(std::shared_ptr<Flight> flight) {
    for (;;) {
      std::uint64_t ticket = 0;
      {
        const std::lock_guard lock(flight->mutex);
        if (flight->failure) std::rethrow_exception(flight->failure);
        if (flight->value) co_return *flight->value;
        ticket = flight->done.ticket();
      }
      co_await flight->done.wait(ticket);
    }
  }

  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace entrepot::async
