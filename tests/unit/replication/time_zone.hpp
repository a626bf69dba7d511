// The time zone of the process, for as long as a test wants it.
#pragma once

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "entrepot/base/clock.hpp"

namespace entrepot::test {

class TimeZone {
 public:
  // A POSIX zone ("CET-1CEST,M3.5.0,M10.5.0/3") needs no files on the machine.
  explicit TimeZone(const char* zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    set(zone);
  }
  ~TimeZone() { set(before_ ? before_->c_str() : nullptr); }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

 private:
  static void set(const char* zone) {
    if (zone != nullptr) {
      setenv("TZ", zone, 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }
  std::optional<std::string> before_;
};

inline constexpr const char* berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

// "2026-03-29 01:30" in UTC.
inline base::WallTime utc(const std::string& text) {
  std::tm fields{};
  strptime(text.c_str(), "%Y-%m-%d %H:%M", &fields);
  return base::WallTime(std::chrono::seconds(timegm(&fields)));
}
inline std::string utc(base::WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M", &fields);
  return text;
}

}  // namespace entrepot::test
