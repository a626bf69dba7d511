#include "notify/pull_buffer.hpp"

#include <gtest/gtest.h>

#include "unit/notify/events.hpp"

namespace entrepot::notify::pull_buffer_test {
namespace {

index::Event pull(int number) {
  return event_of(index::EventKind::pull, "app", "v" + std::to_string(number));
}

TEST(PullBuffer, gives_back_in_order) {
  PullBuffer buffer;
  EXPECT_EQ(buffer.add(pull(0)), PullBuffer::Added::first);
  EXPECT_EQ(buffer.add(pull(1)), PullBuffer::Added::more);
  EXPECT_EQ(buffer.add(pull(2)), PullBuffer::Added::more);
  const auto two = buffer.take(2);
  ASSERT_EQ(two.size(), 2);
  EXPECT_EQ(two[0].tag, "v0");
  EXPECT_EQ(two[1].tag, "v1");
  EXPECT_EQ(buffer.take(2).size(), 1);
  EXPECT_TRUE(buffer.take(2).empty());
  EXPECT_EQ(buffer.add(pull(3)), PullBuffer::Added::first);
}

TEST(PullBuffer, is_bounded) {
  PullBuffer buffer;
  for (std::size_t i = 0; i < PullBuffer::most; ++i)
    EXPECT_NE(buffer.add(pull(0)), PullBuffer::Added::dropped);
  EXPECT_EQ(buffer.add(pull(0)), PullBuffer::Added::dropped);
  EXPECT_EQ(buffer.take(PullBuffer::most * 2).size(), PullBuffer::most);
}

}  // namespace
}  // namespace entrepot::notify::pull_buffer_test
