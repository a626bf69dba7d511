// Brings one receiver its events, in order, one at a time; a dead receiver has only its own courier
// waiting. run() is the task; the rest may be called from any thread, except cancel().
//
// Its position is written down after every batch and before every longer wait, so that a crash
// repeats some deliveries and loses none.
#pragma once

#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "entrepot/base/published.hpp"
#include "notify/subscription.hpp"
#include "notify/surroundings.hpp"

namespace entrepot::notify {

// Where a receiver nobody has heard of begins: behind this event; absent: with what waits for
// others, for it may have been here before.
using Start = std::optional<std::uint64_t>;

class Courier {
 public:
  Courier(std::shared_ptr<Surroundings> surroundings, SharedSubscription subscription, Start start);

  // Until it is cancelled. The frame keeps `self` alive.
  static async::Task<> run(std::shared_ptr<Courier> self);

  // The next try goes by these words.
  void assign(SharedSubscription subscription);
  SharedSubscription subscription() const { return subscription_.now(); }

  // On the task's own thread.
  void cancel() { signal_.emit(async::asio::cancellation_type::terminal); }
  async::asio::cancellation_slot slot() { return signal_.slot(); }

  // Everything up to here needs no delivery any more.
  std::uint64_t position() const { return position_; }

 private:
  struct Trouble {
    std::string reason;
    std::optional<std::chrono::milliseconds> asked_for{};
  };

  async::Task<> work();
  async::Task<> find_position();
  async::Task<> save();
  async::Task<> handle(const index::Event& event);
  async::Task<> rest(std::uint64_t ticket, Trouble trouble);
  async::Task<std::expected<void, Trouble>> deliver(SharedSubscription subscription,
                                                    std::string body);
  void report_expired();

  const std::shared_ptr<Surroundings> surroundings_;
  const std::string name_;
  base::Published<Subscription> subscription_;
  async::Broadcast assigned_;
  async::asio::cancellation_signal signal_;
  std::atomic<std::uint64_t> position_ = 0;
  Start start_;
  std::uint64_t saved_ = 0;
  unsigned failures_ = 0;  // in a row
  std::uint64_t expired_ = 0;
};

}  // namespace entrepot::notify
