#include "upstream/content_range.hpp"

#include <gtest/gtest.h>

namespace entrepot::upstream::content_range_test {
namespace {

// Rows: C-03
TEST(ContentRange, reads_what_is_possible) {
  const auto range = parse_content_range("bytes 2-9/10");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 2U);
  EXPECT_EQ(range->last, 9U);
  EXPECT_EQ(range->total, 10U);
  EXPECT_EQ(parse_content_range("bytes 0-0/*")->total, std::nullopt);
}

// Rows: C-03
TEST(ContentRange, refuses_what_is_not) {
  for (const char* text :
       {"", "bytes", "bytes ", "bytes */10", "bytes 5-4/10", "bytes 0-10/10", "bytes 0-9/",
        "bytes 0-9", "items 0-9/10", "bytes -9/10", "bytes 0-/10", "bytes a-b/c",
        "bytes 0-9/10, 1-2/3", "bytes +0-9/10", "bytes 0-99999999999999999999/*"})
    EXPECT_FALSE(parse_content_range(text)) << text;
}

}  // namespace
}  // namespace entrepot::upstream::content_range_test
