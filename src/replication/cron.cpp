#include "replication/cron.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "entrepot/base/units.hpp"

namespace entrepot::replication {

namespace {

using std::chrono::minutes;

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> nicknames{{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
}};

struct Field {
  std::string_view what;
  unsigned first;
  unsigned last;
  std::span<const std::string_view> names;  // of `first` and those after it
};
constexpr std::array<Field, 5> fields{{{"minute", 0, 59, {}},
                                       {"hour", 0, 23, {}},
                                       {"day of the month", 1, 31, {}},
                                       {"month", 1, 12, month_names},
                                       {"day of the week", 0, 7, day_names}}};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

[[noreturn]] void refuse(const Field& field, std::string_view text) {
  throw std::invalid_argument("cron: \"" + std::string(text) + "\" is no " +
                              std::string(field.what) + " (" + std::to_string(field.first) +
                              " to " + std::to_string(field.last) + ")");
}

unsigned value(const Field& field, std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto name = std::ranges::find(field.names, std::string_view(lower));
  if (name != field.names.end()) {
    return field.first + static_cast<unsigned>(name - field.names.begin());
  }
  const auto number = base::parse_unsigned(text);
  if (!number || *number < field.first || *number > field.last) refuse(field, text);
  return static_cast<unsigned>(*number);
}

// One item of a list: *, 5, 1-5, */15, 10-50/20, 5/10.
std::uint64_t read_item(const Field& field, std::string_view item) {
  const auto parts = split(item, '/');
  const auto ends = split(parts[0], '-');
  if (parts.size() > 2 || ends.size() > 2) refuse(field, item);
  unsigned from = field.first;
  unsigned to = field.last;
  if (parts[0] != "*") {
    from = value(field, ends[0]);
    if (ends.size() == 2) {
      to = value(field, ends[1]);
    } else if (parts.size() == 1) {
      to = from;
    }
  }
  const auto step = parts.size() == 2 ? base::parse_unsigned(parts[1]) : 1;
  if (!step || *step == 0 || *step > 60 || from > to) refuse(field, item);
  std::uint64_t bits = 0;
  for (unsigned i = from; i <= to; i += static_cast<unsigned>(*step)) bits |= 1ULL << i;
  return bits;
}

std::uint64_t read_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const auto item : split(text, ',')) bits |= read_item(field, item);
  return bits;
}

bool has(std::uint64_t bits, unsigned place) { return (bits >> place & 1U) != 0; }

std::vector<std::string_view> words(std::string_view text) {
  auto found = split(text, ' ');
  std::erase(found, std::string_view());
  return found;
}

}  // namespace

CronTime::CronTime(std::string_view expression) {
  const auto nickname =
      std::ranges::find(nicknames, expression, [](const auto& entry) { return entry.first; });
  const auto parts = words(nickname == nicknames.end() ? expression : nickname->second);
  if (parts.size() != fields.size()) {
    throw std::invalid_argument("cron: \"" + std::string(expression) +
                                "\" has not five fields (minute, hour, day, month, day of week)");
  }
  minutes_ = read_field(fields[0], parts[0]);
  hours_ = read_field(fields[1], parts[1]);
  days_ = read_field(fields[2], parts[2]);
  months_ = read_field(fields[3], parts[3]);
  weekdays_ = read_field(fields[4], parts[4]);
  if (has(weekdays_, 7)) weekdays_ |= 1U;
  every_hour_ = parts[1].starts_with('*');
  any_day_ = parts[2].starts_with('*');
  any_weekday_ = parts[4].starts_with('*');
  if (!find(Minute{})) {
    throw std::invalid_argument("cron: \"" + std::string(expression) +
                                "\" is a day that never comes");
  }
}

bool CronTime::on_day(const LocalTime& time) const {
  if (!has(months_, time.month)) return false;
  const bool day = has(days_, time.day);
  const bool weekday = has(weekdays_, time.weekday);
  return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

bool CronTime::at_time(const LocalTime& time) const {
  return on_day(time) && has(hours_, time.hour) && has(minutes_, time.minute);
}

// Whether a reading that was asked for lies in what clocks left out just before this minute.
bool CronTime::skipped_into(Minute minute) const {
  const auto before = local(minute - minutes(1));
  const auto left_out = std::chrono::duration_cast<minutes>(local(minute).offset - before.offset);
  if (every_hour_ || left_out <= minutes(0)) return false;
  // As if the clocks had not moved yet.
  const auto reading = minute.time_since_epoch() + before.offset;
  for (auto past = minutes(0); past < left_out; past += minutes(1)) {
    const auto moment = std::chrono::floor<minutes>(reading + past);
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date{std::chrono::sys_days(day)};
    const auto clock = static_cast<unsigned>((moment - day).count());
    const LocalTime time{.year = static_cast<int>(date.year()),
                         .month = static_cast<unsigned>(date.month()),
                         .day = static_cast<unsigned>(date.day()),
                         .hour = clock / 60,
                         .minute = clock % 60,
                         .weekday = std::chrono::weekday(std::chrono::sys_days(day)).c_encoding()};
    if (at_time(time)) return true;
  }
  return false;
}

bool CronTime::due(Minute minute) const {
  if (skipped_into(minute)) return true;
  return at_time(local(minute)) && (every_hour_ || !second_reading(minute));
}

std::optional<Minute> CronTime::find(Minute after) const {
  auto minute = after + minutes(1);
  constexpr int days_of_a_leap_day = 8 * 366 + 2;  // 1896 to 1904, and 2096 to 2104
  for (int day = 0; day < days_of_a_leap_day; ++day) {
    if (due(minute)) return minute;
    const auto end = next_day(minute);
    if (on_day(local(minute))) {
      for (; minute < end; minute += minutes(1)) {
        if (due(minute)) return minute;
      }
    }
    minute = end;
  }
  return std::nullopt;
}

base::WallTime CronTime::next(base::WallTime now) const {
  const auto found = find(std::chrono::floor<minutes>(now));
  return found ? base::WallTime(*found) : now + std::chrono::years(1);
}

}  // namespace entrepot::replication
