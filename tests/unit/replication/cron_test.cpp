#include "replication/cron.hpp"

#include <gtest/gtest.h>

#include "time_zone.hpp"

namespace entrepot::replication::cron_test {
namespace {

using test::TimeZone;
using test::utc;

struct Case {
  const char* expression;
  const char* now;
  std::vector<std::string> next;
};

void expect(const Case& row) {
  const CronTime cron(row.expression);
  auto now = utc(std::string(row.now));
  for (const auto& expected : row.next) {
    now = cron.next(now);
    EXPECT_EQ(utc(now), expected) << row.expression << " after " << row.now;
  }
}

TEST(Cron, FindsTheNextTimes) {
  const TimeZone zone("UTC0");
  const Case table[] = {
      {"0 3 * * *", "2026-01-01 02:59", {"2026-01-01 03:00", "2026-01-02 03:00"}},
      {"0 3 * * *", "2026-01-01 03:00", {"2026-01-02 03:00"}},
      {"* * * * *", "2026-01-01 23:59", {"2026-01-02 00:00", "2026-01-02 00:01"}},
      {"*/20 * * * *", "2026-01-01 00:01", {"2026-01-01 00:20", "2026-01-01 00:40"}},
      {"5/20 1 * * *", "2026-01-01 00:00", {"2026-01-01 01:05", "2026-01-01 01:25"}},
      {"0 9-17/4 * * mon-fri", "2026-01-02 17:00", {"2026-01-05 09:00", "2026-01-05 13:00"}},
      {"0 0 * * SUN", "2026-01-01 00:00", {"2026-01-04 00:00", "2026-01-11 00:00"}},
      {"0 0 * * 7", "2026-01-01 00:00", {"2026-01-04 00:00"}},
      {"0 0 * * 5-7", "2026-01-03 00:00", {"2026-01-04 00:00", "2026-01-09 00:00"}},
      {"0 0 1,15 jan,jul *", "2026-01-15 00:00", {"2026-07-01 00:00", "2026-07-15 00:00"}},
      // Both days are restricted: either is enough.
      {"0 0 13 * fri", "2026-02-10 00:00", {"2026-02-13 00:00", "2026-02-20 00:00"}},
      {"0 0 13 * fri", "2026-04-10 00:00", {"2026-04-13 00:00", "2026-04-17 00:00"}},
      // One begins with a star: both must fit.
      {"0 0 */2 * fri", "2026-01-01 00:00", {"2026-01-09 00:00", "2026-01-23 00:00"}},
      {"0 0 31 * *", "2026-01-31 00:00", {"2026-03-31 00:00"}},
      {"0 0 29 2 *", "2026-01-01 00:00", {"2028-02-29 00:00", "2032-02-29 00:00"}},
      {"0 0 29 2 *", "2097-01-01 00:00", {"2104-02-29 00:00"}},
      {"@daily", "2026-01-01 00:00", {"2026-01-02 00:00"}},
      {"@hourly", "2026-01-01 00:00", {"2026-01-01 01:00"}},
      {"  0   3 * *  * ", "2026-01-01 00:00", {"2026-01-01 03:00"}},
  };
  for (const auto& row : table) expect(row);
}

// Berlin 2026: 02:00 becomes 03:00 on 29 March (01:00 UTC), 03:00 becomes 02:00 on 25 October.
TEST(Cron, LosesAndDoublesNothingWhenClocksChange) {
  const TimeZone zone(test::berlin);
  const Case table[] = {
      {"30 2 * * *",
       "2026-03-27 12:00",
       {"2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"}},
      {"0 3 * * *", "2026-03-28 12:00", {"2026-03-29 01:00", "2026-03-30 01:00"}},
      {"*/30 2 * * *", "2026-03-28 12:00", {"2026-03-29 01:00", "2026-03-30 00:00"}},
      {"*/30 * * * *", "2026-03-29 00:00", {"2026-03-29 00:30", "2026-03-29 01:00"}},
      {"30 2 * * *", "2026-10-24 12:00", {"2026-10-25 00:30", "2026-10-26 01:30"}},
      {"30 * * * *",
       "2026-10-24 23:59",
       {"2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"}},
      {"0 0 * * *", "2026-10-24 12:00", {"2026-10-24 22:00", "2026-10-25 23:00"}},
  };
  for (const auto& row : table) expect(row);
}

// Clocks that move at midnight: the day begins at 01:00, or the hour before it comes twice.
TEST(Cron, StandsMidnightsThatDoNotExist) {
  const TimeZone zone("<-03>3<-02>,M10.3.0/0,M2.3.0/0");
  const Case table[] = {
      {"30 0 * * *", "2026-10-17 12:00", {"2026-10-18 03:00", "2026-10-19 02:30"}},
      {"0 0 18 10 *", "2026-10-17 12:00", {"2026-10-18 03:00"}},
      {"30 23 * * *", "2026-02-14 12:00", {"2026-02-15 01:30", "2026-02-16 02:30"}},
  };
  for (const auto& row : table) expect(row);
}

TEST(Cron, SaysWhatItCannotRead) {
  for (const char* text : {"",
                           "* * * *",
                           "* * * * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 13 *",
                           "* * * * 8",
                           "* * * foo *",
                           "a * * * *",
                           "1- * * * *",
                           "5-1 * * * *",
                           "*/0 * * * *",
                           "*/x * * * *",
                           "1,,2 * * * *",
                           "1/2/3 * * * *",
                           "1-2-3 * * * *",
                           "@never",
                           "-1 * * * *",
                           "0 0 30 2 *",
                           "0 0 31 4,6 *",
                           "*/99 * * * *"}) {
    EXPECT_THROW(CronTime{text}, std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace entrepot::replication::cron_test
