#include "mirror/short_memory.hpp"

#include <gtest/gtest.h>

namespace entrepot::mirror::short_memory_test {
namespace {

using std::chrono::seconds;

constexpr base::SteadyTime start{seconds(1000)};

// Rows: C-12
TEST(ShortMemory, forgets_in_time) {
  ShortMemory<int> memory(10);
  memory.remember("a", 1, start, seconds(10));
  EXPECT_EQ(memory.find("a", start + seconds(9)), 1);
  EXPECT_EQ(memory.find("a", start + seconds(10)), std::nullopt);
  EXPECT_EQ(memory.find("b", start), std::nullopt);
}

TEST(ShortMemory, the_last_word_counts) {
  ShortMemory<int> memory(10);
  memory.remember("a", 1, start, seconds(10));
  memory.remember("a", 2, start + seconds(5), seconds(10));
  EXPECT_EQ(memory.find("a", start + seconds(12)), 2);
}

TEST(ShortMemory, no_time_is_no_memory) {
  ShortMemory<int> memory(10);
  memory.remember("a", 1, start, seconds(0));
  EXPECT_EQ(memory.size(), 0U);
}

TEST(ShortMemory, is_bounded_and_drops_the_expired_first) {
  ShortMemory<int> memory(100);
  for (int i = 0; i < 99; ++i) memory.remember("old" + std::to_string(i), i, start, seconds(1));
  memory.remember("good", 7, start, seconds(100));
  memory.remember("new", 8, start + seconds(2), seconds(100));
  EXPECT_EQ(memory.size(), 2U);
  EXPECT_EQ(memory.find("good", start + seconds(3)), 7);
  for (int i = 0; i < 1000; ++i) memory.remember(std::to_string(i), i, start, seconds(100));
  EXPECT_EQ(memory.size(), 100U);
}

}  // namespace
}  // namespace entrepot::mirror::short_memory_test
