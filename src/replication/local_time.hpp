// What the clock on the wall shows, by the time zone of the process (TZ or /etc/localtime).
#pragma once

#include <chrono>

#include "entrepot/base/clock.hpp"

namespace entrepot::replication {

using Minute = std::chrono::sys_time<std::chrono::minutes>;

struct LocalTime {
  int year = 1970;
  unsigned month = 1;  // from 1
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned weekday = 0;           // 0 is Sunday
  std::chrono::seconds offset{};  // from UTC

  bool same_day(const LocalTime& other) const {
    return year == other.year && month == other.month && day == other.day;
  }
};

LocalTime local(Minute minute);
// The first minute of the local day after that of `minute`, also where midnight does not exist.
Minute next_day(Minute minute);
// Whether the same reading of the clock was there before, an hour ago or so: clocks went back.
bool second_reading(Minute minute);

}  // namespace entrepot::replication
