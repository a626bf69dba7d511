// Calls `expire` once if it is not disarmed or moved in time: how a socket wait gets its limit.
// (`a || b` on awaitables races across threads in Boost 1.81, and swallows the loser's error.)
//
// Not thread-safe: lives on one executor, on which `expire` runs. Destruction disarms.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

class Deadline {
 public:
  Deadline(Executor executor, std::function<void()> expire);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Replaces whatever was armed before.
  void arm(std::chrono::milliseconds after);
  void disarm();
  bool expired() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace entrepot::async
