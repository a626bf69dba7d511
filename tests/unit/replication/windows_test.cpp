#include "replication/windows.hpp"

#include <gtest/gtest.h>

#include "time_zone.hpp"

namespace entrepot::replication::windows_test {
namespace {

using test::TimeZone;
using test::utc;

Windows windows(const std::vector<std::string>& texts) {
  std::vector<Window> parsed;
  for (const auto& text : texts) parsed.push_back(parse_window(text));
  return Windows(std::move(parsed));
}

TEST(Windows, AreOpenWhenTheySay) {
  const TimeZone zone("UTC0");
  struct {
    std::vector<std::string> windows;
    const char* open;
    const char* closed;
  } const table[] = {
      // 2026-01-05 is a Monday.
      {{"22:00-06:00"}, "2026-01-05 22:00", "2026-01-05 21:59"},
      {{"22:00-06:00"}, "2026-01-05 05:59", "2026-01-05 06:00"},
      {{"08:00-12:00"}, "2026-01-05 08:00", "2026-01-05 12:00"},
      // What begins on Friday goes on on Saturday; Monday morning belongs to Sunday.
      {{"mon-fri 22:00-06:00"}, "2026-01-10 05:00", "2026-01-05 05:00"},
      {{"sat,sun 00:00-24:00"}, "2026-01-10 23:59", "2026-01-12 00:00"},
      {{"fri-mon 10:00-11:00"}, "2026-01-11 10:30", "2026-01-06 10:30"},
      {{"sat 06:00-06:00"}, "2026-01-11 05:59", "2026-01-11 06:00"},
      {{"01:00-02:00", "mon 05:00-06:00"}, "2026-01-05 05:00", "2026-01-06 05:00"},
  };
  for (const auto& row : table) {
    const auto set = windows(row.windows);
    EXPECT_TRUE(set.open(utc(std::string(row.open)))) << row.windows[0] << " " << row.open;
    EXPECT_FALSE(set.open(utc(std::string(row.closed)))) << row.windows[0] << " " << row.closed;
  }
}

TEST(Windows, SayWhenTheyTurn) {
  const TimeZone zone(test::berlin);
  const auto nights = windows({"mon-fri 22:00-06:00"});
  const auto saturday_noon = utc("2026-01-10 11:00");
  EXPECT_EQ(utc(nights.opens(saturday_noon)), "2026-01-12 21:00");
  EXPECT_EQ(nights.closes(saturday_noon), saturday_noon);
  EXPECT_EQ(utc(nights.closes(utc("2026-01-12 21:30"))), "2026-01-13 05:00");
  // The night clocks go forward is an hour shorter.
  EXPECT_EQ(utc(windows({"22:00-06:00"}).closes(utc("2026-03-28 21:00"))), "2026-03-29 04:00");
  EXPECT_EQ(utc(windows({"22:00-06:00"}).closes(utc("2026-10-24 20:00"))), "2026-10-25 05:00");
  const Windows always({});
  EXPECT_TRUE(always.open(saturday_noon));
  EXPECT_EQ(always.opens(saturday_noon), saturday_noon);
  EXPECT_GT(always.closes(saturday_noon), saturday_noon + std::chrono::days(300));
}

TEST(Windows, SayWhatTheyCannotRead) {
  for (const char* text :
       {"", "22:00", "22:00-", "-06:00", "22-06", "25:00-06:00", "22:60-06:00", "24:01-06:00",
        "monday 22:00-06:00", "mon- 22:00-06:00", " 22:00-06:00", "mon,,tue 22:00-06:00",
        "22:0-06:00", "022:00-06:00", "mon 22:00-06:00 x", "Mon 22:00-06:00"}) {
    EXPECT_THROW(parse_window(text), std::invalid_argument) << text;
  }
  EXPECT_THROW(Windows({{.from = 0, .to = 60, .days = 0}}), std::invalid_argument);
  EXPECT_THROW(Windows({{.from = 1440, .to = 60}}), std::invalid_argument);
}

}  // namespace
}  // namespace entrepot::replication::windows_test
