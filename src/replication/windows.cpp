#include "replication/windows.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "entrepot/base/units.hpp"
#include "replication/local_time.hpp"

namespace entrepot::replication {

namespace {

constexpr unsigned day_minutes = 24 * 60;
constexpr std::array<std::string_view, 7> days{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("window \"" + std::string(text) + "\": " + why);
}

std::pair<std::string_view, std::optional<std::string_view>> cut(std::string_view text, char at) {
  const auto place = text.find(at);
  if (place == text.npos) return {text, std::nullopt};
  return {text.substr(0, place), text.substr(place + 1)};
}

unsigned weekday(std::string_view window, std::string_view name) {
  const auto found = std::ranges::find(days, name);
  if (found == days.end()) refuse(window, "days are sun, mon, tue, wed, thu, fri and sat");
  return static_cast<unsigned>(found - days.begin());
}

unsigned read_days(std::string_view window, std::string_view text) {
  unsigned found = 0;
  for (std::optional<std::string_view> rest = text; rest;) {
    const auto [item, others] = cut(*rest, ',');
    rest = others;
    const auto [first, last] = cut(item, '-');
    const unsigned end = weekday(window, last.value_or(first));
    for (unsigned day = weekday(window, first);; day = (day + 1) % 7) {
      found |= 1U << day;
      if (day == end) break;
    }
  }
  return found;
}

unsigned read_time(std::string_view window, std::string_view text) {
  const auto [hour_text, minute_text] = cut(text, ':');
  const auto hour = base::parse_unsigned(hour_text);
  const auto minute = base::parse_unsigned(minute_text.value_or(""));
  const bool shaped = hour_text.size() <= 2 && minute_text.value_or("").size() == 2;
  if (!shaped || !hour || !minute || *minute > 59 || *hour * 60 + *minute > day_minutes) {
    refuse(window, "a time of day is written 00:00 to 24:00");
  }
  return static_cast<unsigned>(*hour * 60 + *minute);
}

bool contains(const Window& window, unsigned minute, unsigned today) {
  const auto on = [&window](unsigned day) { return (window.days >> day & 1U) != 0; };
  const unsigned yesterday = (today + 6) % 7;
  if (window.from < window.to) return on(today) && minute >= window.from && minute < window.to;
  return (on(today) && minute >= window.from) || (on(yesterday) && minute < window.to);
}

bool any_contains(const std::vector<Window>& windows, Minute minute) {
  const auto now = local(minute);
  const auto holds = [&now](const Window& window) {
    return contains(window, now.hour * 60 + now.minute, now.weekday);
  };
  return windows.empty() || std::ranges::any_of(windows, holds);
}

}  // namespace

Window parse_window(std::string_view text) {
  const auto [first, second] = cut(text, ' ');
  Window window;
  if (second) window.days = read_days(text, first);
  const auto [from, to] = cut(second.value_or(first), '-');
  if (!to) refuse(text, "hours are written as in 22:00-06:00");
  window.from = read_time(text, from) % day_minutes;
  window.to = read_time(text, *to);
  return window;
}

Windows::Windows(std::vector<Window> windows) : windows_(std::move(windows)) {
  for (const auto& window : windows_) {
    const bool bounded = window.from < day_minutes && window.to <= day_minutes;
    if (!bounded || (window.days & 0x7fU) == 0 || window.days > 0x7fU) {
      throw std::invalid_argument("a window has a day of the week and times from 00:00 to 24:00");
    }
  }
}

bool Windows::open(base::WallTime now) const {
  return any_contains(windows_, std::chrono::floor<std::chrono::minutes>(now));
}

base::WallTime Windows::turns(base::WallTime now, bool to) const {
  if (open(now) == to) return now;
  auto minute = std::chrono::floor<std::chrono::minutes>(now);
  // A week shows all there is; a day more for clocks that change.
  for (unsigned step = 0; step < 8 * day_minutes; ++step) {
    minute += std::chrono::minutes(1);
    if (any_contains(windows_, minute) == to) return minute;
  }
  return now + std::chrono::years(1);
}

}  // namespace entrepot::replication
