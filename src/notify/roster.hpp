// The couriers at work, by the names of their receivers, and the threads of their lives: who is
// started, replaced, ended. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "notify/courier.hpp"

namespace entrepot::notify {

class Roster {
 public:
  explicit Roster(std::shared_ptr<Surroundings> surroundings)
      : surroundings_(std::move(surroundings)) {}

  // Couriers of receivers that stay by name go on; those of others are cancelled. Throws
  // std::invalid_argument, then nothing has changed.
  void replace(std::vector<Receiver> receivers);
  void start(async::Executor executor);
  // On the tasks' thread; ended() returns when none of them runs any more.
  void cancel_all();
  async::Task<> ended();

  bool wanted(index::EventKind kind) const { return wanted_[slot_of(kind)]; }
  std::vector<std::shared_ptr<Courier>> couriers() const;
  std::vector<std::string> names() const;

 private:
  using Couriers = std::map<std::string, std::shared_ptr<Courier>>;

  static std::size_t slot_of(index::EventKind kind) { return static_cast<std::size_t>(kind) % 8; }
  static async::Task<> cancel(std::vector<std::shared_ptr<Courier>> couriers);
  // REQUIRES: mutex_ is held.
  void spawn(const std::shared_ptr<Courier>& courier);
  void note_wanted();
  void note_end();

  const std::shared_ptr<Surroundings> surroundings_;
  mutable std::mutex mutex_;  // guards what follows, but wanted_
  Couriers couriers_;
  std::optional<async::Executor> executor_;
  std::size_t running_ = 0;
  async::Broadcast one_ended_;
  std::array<std::atomic<bool>, 8> wanted_{};
};

}  // namespace entrepot::notify
