#include "entrepot/http/message.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::message_test {
namespace {

TEST(Reply, body_length_is_the_sum_of_its_parts) {
  Reply reply;
  EXPECT_EQ(reply.body_length(), 0U);
  reply.head_length = 7;
  EXPECT_EQ(reply.body_length(), 7U);
  reply.body.emplace_back("abc");
  reply.body.emplace_back(SourcePart{async::memory_source("0123456789"), 2, 5});
  EXPECT_EQ(reply.body_length(), 8U);
}

TEST(Reply, text_reply_says_what_it_is) {
  const auto reply = text_reply(404, "text/plain", "gone");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.headers.get("content-type"), "text/plain");
  EXPECT_EQ(reply.body_length(), 4U);
}

}  // namespace
}  // namespace entrepot::http::message_test
