// What the daemon does every so often without being asked: collections, sweeping uploads. Made and
// started by the app. A chore that fails is logged and has its turn again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "entrepot/async/task.hpp"

namespace entrepot::upkeep {

struct Chore {
  std::string_view what;            // a literal, for the log
  std::chrono::milliseconds first;  // after the start
  std::chrono::milliseconds every;  // after the end of the last one; 0: never
  std::function<async::Task<>()> work;
};

class Schedule {
 public:
  explicit Schedule(std::vector<Chore> chores);
  // Stops.
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  // Once. What the chores refer to outlives the executor's run.
  void start(async::Executor executor);
  // No chore begins after this; one that runs goes on. Thread-safe.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace entrepot::upkeep
