// The configuration again while running (SIGHUP, POST /api/v1/reload): access, policy, collection,
// receivers, rules of replication and TLS keys are replaced, all of them or none (reliability.md
// O-02). Everything else waits for a restart, and a change of it is logged.
#pragma once

#include <mutex>

#include "app/doors.hpp"
#include "app/flags.hpp"
#include "app/house.hpp"

namespace entrepot::app {

// Thread-safe. Everything outlives it.
class Reloader {
 public:
  Reloader(House& house, Doors& doors, Config running, Flags flags);

  // Throws ConfigError, std::invalid_argument or std::runtime_error with a sentence; then nothing
  // has changed. Blocks for the files' sake.
  void reload();

 private:
  void tell_what_needs_a_restart(const Config& found) const;

  House& house_;
  Doors& doors_;
  const Flags flags_;
  std::mutex mutex_;  // one reload at a time; guards running_
  Config running_;
};

}  // namespace entrepot::app
