// One rule's life in this daemon: obeys its trigger and its windows, works off its waiting list,
// follows when it follows, and makes runs by hand and by trigger take turns. Thread-safe.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/limiter.hpp"
#include "entrepot/async/task.hpp"
#include "replication/errand.hpp"
#include "replication/run.hpp"

namespace entrepot::replication {

class Duty {
 public:
  explicit Duty(SharedErrand errand);

  // `before`: whose place it takes; it begins when that has ended. May be null.
  static void start(std::shared_ptr<Duty> self, async::Executor executor,
                    std::shared_ptr<Duty> before);
  // From now on nothing begins, and what runs gives up; ended() awaits that.
  static void stop(std::shared_ptr<Duty> self);
  async::Task<> ended();
  bool over() const;

  async::Task<RunReport> run_by_hand(Trial trial, RunListener listener);

  Errand& errand() { return *errand_; }
  const SharedErrand& shared_errand() const { return errand_; }

 private:
  // What woke it up.
  struct Call {
    bool whole = false;                  // else what waits and is due
    std::optional<base::WallTime> at{};  // absent: not before it is stirred
  };

  static async::Task<> live(std::shared_ptr<Duty> self, std::shared_ptr<Duty> before);
  static async::Task<> cancel(std::shared_ptr<Duty> self);
  async::Task<> obey();
  async::Task<> follow_in_windows();
  async::Task<> follow_once();
  async::Task<> one_turn();
  async::Task<Call> next_call();
  bool may_retry() const;
  async::Task<base::WallTime> welcome();
  async::Broadcast& stirred() { return errand_->reach->stirred(); }
  async::Task<> answer(Call call);
  async::Task<RunResult> take_turn(RunOrder order, std::string trigger);
  async::Task<RunResult> recorded(RunOrder order, std::string trigger);
  async::Task<> rest_until(base::WallTime time, std::uint64_t ticket);
  void set_state(const char* state);
  void rest();

  const SharedErrand errand_;
  async::Limiter turn_{1};
  async::asio::cancellation_signal signal_;  // of the task, touched on its thread
  async::Broadcast ended_;
  mutable std::mutex mutex_;  // guards executor_, running_
  std::optional<async::Executor> executor_;
  bool running_ = false;
  // Of the task alone:
  std::optional<base::WallTime> due_{};
  bool unfinished_ = false;        // the last run was called off
  unsigned failures_ = 0;          // of the rule as a whole, in a row
  std::uint64_t returns_ = 0;      // of its registries, welcomed
  base::WallTime next_welcome_{};  // not before
  unsigned vain_welcomes_ = 0;     // in a row: nothing came of them
};

}  // namespace entrepot::replication
