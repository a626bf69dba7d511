// The running logger: levels, and that a line really reaches stderr.
#include "entrepot/base/log.hpp"

#include <gtest/gtest.h>

namespace entrepot::base::log::log_test {
namespace {

TEST(Log, writes_lines_at_and_above_its_level_to_stderr) {
  configure(Level::warn, Format::text);
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::error));
  testing::internal::CaptureStderr();
  info("quiet", {{"k", 1}});
  warn("loud", {{"k", 2}});
  const auto text = testing::internal::GetCapturedStderr();
  configure(Level::info, Format::text);
  EXPECT_EQ(text.find("quiet"), text.npos);
  // 2026-01-02T12:00:00.000Z
  ASSERT_GT(text.size(), 25U) << text;
  EXPECT_EQ(text[10], 'T');
  EXPECT_EQ(text.substr(23), "Z warn msg=loud k=2\n");
}

}  // namespace
}  // namespace entrepot::base::log::log_test
