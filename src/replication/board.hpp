// How a rule stands, for people: written by whoever works on it, read by status(). What a restart
// must not forget (when it ran last, and why it failed) is in the index. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/replication/replicator.hpp"

namespace entrepot::replication {

class Board {
 public:
  Board(index::Index& index, std::string rule);

  // What an earlier life wrote; before anything else.
  async::Task<> load();
  void change(const std::function<void(RuleStatus&)>& edit);
  RuleStatus now() const;

  async::Task<> started(base::WallTime when);
  // An empty error: it went well.
  async::Task<> ended(base::WallTime when, std::string error);

 private:
  async::Task<> save();

  index::Index& index_;
  mutable std::mutex mutex_;  // guards status_, loaded_
  RuleStatus status_;
  bool loaded_ = false;
};

}  // namespace entrepot::replication
