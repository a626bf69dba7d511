// What happens by the clock while the daemon runs: leases age, keys that changed are read again,
// uploads nobody goes on with are removed, and collection begins when its time has come.
#pragma once

#include <chrono>

#include "app/doors.hpp"
#include "app/house.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/upkeep/schedule.hpp"

namespace entrepot::app {

class UpkeepTimers {
 public:
  // Both outlive it; it outlives the coroutines of the executor given to start().
  UpkeepTimers(House& house, Doors& doors);

  void start(async::Executor executor) { schedule_.start(std::move(executor)); }
  void stop() { schedule_.stop(); }

 private:
  async::Task<> age_leases();
  async::Task<> read_changed_keys();
  async::Task<> sweep_uploads();
  async::Task<> collect_when_due();

  House& house_;
  Doors& doors_;
  std::chrono::steady_clock::time_point next_sweep_{};
  std::chrono::steady_clock::time_point last_round_{};  // the epoch: none yet
  upkeep::Schedule schedule_;
};

}  // namespace entrepot::app
