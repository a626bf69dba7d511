// One following of a peer's Journal, step by step: a page, its delivery, a repair when it is time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/registry/failure.hpp"
#include "entrepot/registry/feed.hpp"
#include "replication/delivery.hpp"
#include "replication/errand.hpp"
#include "replication/position.hpp"

namespace entrepot::replication {

class Following {
 public:
  Following(SharedErrand errand, RunListener listener);

  enum class Pace {
    patient,  // waits a while when there is nothing new
    brisk,
  };
  // Absent: it went well. Otherwise what the peer or the line is to blame for: again, after a
  // pause. Throws as Delivery::run(), and std::runtime_error when the peer is this site itself.
  async::Task<std::optional<registry::Failure>> step(Pace pace);

  // Compares summaries now, where that can be done.
  async::Task<std::optional<registry::Failure>> mend();

  std::uint64_t since() const { return position_ ? position_->since : 0; }
  // Nothing in the peer's Journal is above since(), as far as it is known.
  bool in_step() const { return in_step_; }
  const RunReport& report() const { return report_; }

 private:
  using Outcome = std::optional<registry::Failure>;

  async::Task<registry::Answer<registry::FeedPage>> ask(Pace pace);
  std::chrono::milliseconds patience() const;
  async::Task<Outcome> begin_at(const registry::FeedPage& page);
  async::Task<Outcome> look_back(std::uint64_t then);
  async::Task<Outcome> run_whole();
  async::Task<Outcome> deliver(registry::FeedPage page);
  async::Task<> move_to(Position position);
  void tell_position(const registry::FeedPage& page, std::uint64_t since,
                     std::optional<base::WallTime> oldest);
  void tell_trouble();
  void look_at_clock(const registry::FeedPage& page);

  const SharedErrand errand_;
  const RunListener listener_;
  const registry::FeedScope scope_;
  const std::string coverage_;
  Setbacks setbacks_;
  bool loaded_ = false;
  bool in_step_ = false;
  std::optional<Position> position_;
  base::SteadyTime heard_;  // from the peer, last
  std::chrono::milliseconds lag_{};
  std::optional<base::SteadyTime> mended_;
  RunReport report_;
};

}  // namespace entrepot::replication
