// Keeps the books of the notifications: writes pulls down in batches, drops rows that every
// receiver has passed, and shows how many wait. One task; add() may be called from any thread.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>

#include "notify/pull_buffer.hpp"
#include "notify/roster.hpp"

namespace entrepot::notify {

class Clerk {
 public:
  // Pulls are dropped while more rows than this wait for some receiver: they are many, and one that
  // is dead for a week must not fill the disk.
  static constexpr std::uint64_t most_waiting = 100'000;

  Clerk(std::shared_ptr<Surroundings> surroundings, std::shared_ptr<Roster> roster)
      : surroundings_(std::move(surroundings)), roster_(std::move(roster)) {}

  void add(index::Event pull);

  // Until it is cancelled.
  static async::Task<> run(std::shared_ptr<Clerk> self);
  // What is left to write when nobody runs any more: pulls and positions.
  async::Task<> close();

  // On the task's own thread.
  void cancel() { signal_.emit(async::asio::cancellation_type::terminal); }
  async::asio::cancellation_slot slot() { return signal_.slot(); }

 private:
  async::Task<> work();
  async::Task<> write_pulls();
  async::Task<> drop_passed();
  async::Task<> show_waiting();

  const std::shared_ptr<Surroundings> surroundings_;
  const std::shared_ptr<Roster> roster_;
  PullBuffer pulls_;
  async::asio::cancellation_signal signal_;
};

}  // namespace entrepot::notify
