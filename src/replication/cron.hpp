// Cron expressions: five fields (minute, hour, day of the month, month, day of the week) of `*`,
// numbers, names (jan, mon), ranges, lists and steps; @hourly, @daily, @weekly, @monthly, @yearly.
// When both days are restricted, either of them is enough; a field that begins with `*` is not.
//
// Local time. Where clocks go forward over the hour that was asked for, the time comes when the
// clock has moved; where they go back, the hour that comes twice counts once. An hour of `*` goes
// by the minutes that pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "entrepot/base/clock.hpp"
#include "replication/local_time.hpp"

namespace entrepot::replication {

class CronTime {
 public:
  // Throws std::invalid_argument, also for a time that never comes (30 February).
  explicit CronTime(std::string_view expression);

  // The first time after `now`.
  base::WallTime next(base::WallTime now) const;

 private:
  std::optional<Minute> find(Minute after) const;
  bool on_day(const LocalTime& time) const;
  bool at_time(const LocalTime& time) const;
  bool due(Minute minute) const;
  bool skipped_into(Minute minute) const;

  std::uint64_t minutes_ = 0;  // one bit each
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;
  bool every_hour_ = false;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace entrepot::replication
