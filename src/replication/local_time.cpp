#include "replication/local_time.hpp"

#include <ctime>

namespace entrepot::replication {

namespace {

using std::chrono::minutes;

std::time_t seconds_of(Minute minute) {
  return std::chrono::duration_cast<std::chrono::seconds>(minute.time_since_epoch()).count();
}

// No zone has ever moved its clocks by more than a day at once.
constexpr int most_steps = 26 * 60;

}  // namespace

LocalTime local(Minute minute) {
  const std::time_t seconds = seconds_of(minute);
  std::tm fields{};
  localtime_r(&seconds, &fields);
  return {.year = fields.tm_year + 1900,
          .month = static_cast<unsigned>(fields.tm_mon + 1),
          .day = static_cast<unsigned>(fields.tm_mday),
          .hour = static_cast<unsigned>(fields.tm_hour),
          .minute = static_cast<unsigned>(fields.tm_min),
          .weekday = static_cast<unsigned>(fields.tm_wday),
          .offset = std::chrono::seconds(fields.tm_gmtoff)};
}

Minute next_day(Minute minute) {
  const auto today = local(minute);
  const auto past = minutes(today.hour * 60 + today.minute);
  auto first = minute + minutes(24 * 60) - past;
  // Clocks may have moved in between: walk to the border.
  for (int i = 0; i < most_steps && local(first).same_day(today); ++i) first += minutes(1);
  for (int i = 0; i < most_steps && first - minutes(1) > minute; ++i) {
    if (local(first - minutes(1)).same_day(today)) break;
    first -= minutes(1);
  }
  return first;
}

bool second_reading(Minute minute) {
  const auto now = local(minute);
  const auto before = local(minute - std::chrono::hours(4));
  if (before.offset <= now.offset) return false;
  const auto moved = std::chrono::duration_cast<minutes>(before.offset - now.offset);
  const auto then = local(minute - moved);
  return then.same_day(now) && then.hour == now.hour && then.minute == now.minute;
}

}  // namespace entrepot::replication
