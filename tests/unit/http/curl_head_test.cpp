#include "http/curl_head.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::curl_head_test {
namespace {

CurlHead fed(std::initializer_list<std::string> lines) {
  CurlHead head;
  for (const auto& line : lines) head.feed(line + "\r\n");
  return head;
}

TEST(CurlHead, reads_status_fields_and_length) {
  const auto head = fed({"HTTP/1.1 200 OK", "Content-Length: 5", "ETag:  \"x\" ", ""});
  EXPECT_EQ(head.state(), CurlHead::State::complete);
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.content_length(), 5U);
  EXPECT_EQ(head.headers().get("etag"), "\"x\"");
}

TEST(CurlHead, forgets_informational_heads) {
  const auto head = fed({"HTTP/1.1 100 Continue", "X: 1", "", "HTTP/2 204", ""});
  EXPECT_EQ(head.state(), CurlHead::State::complete);
  EXPECT_EQ(head.status(), 204);
  EXPECT_FALSE(head.headers().get("X"));
  EXPECT_FALSE(head.content_length());
}

TEST(CurlHead, ignores_trailers) {
  auto head = fed({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ""});
  head.feed("Content-Length: 7\r\n");
  EXPECT_FALSE(head.content_length());
  EXPECT_EQ(head.state(), CurlHead::State::complete);
}

// Rows: H-16
TEST(CurlHead, refuses_framing_that_could_mean_two_things) {
  const std::string ok = "HTTP/1.1 200 OK";
  const std::vector<std::vector<std::string>> cases = {
      {ok, "Content-Length: 5", "Content-Length: 6", ""},
      {ok, "Content-Length: 5", "Content-Length: 5", ""},
      {ok, "Content-Length: 5, 5", ""},
      {ok, "Content-Length: 5", "Transfer-Encoding: chunked", ""},
      {ok, "Transfer-Encoding: gzip, chunked", ""},
      {ok, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", ""},
      {ok, "Content-Length: -1", ""},
      {ok, "Content-Length: +5", ""},
      {ok, "Content-Length: 0x10", ""},
      {ok, "Content-Length: 99999999999999999999", ""},
      {ok, "Content-Length : 5", ""},
      {ok, "X: a", " folded", ""},
      {ok, "no colon", ""},
      {"HTTP/1.1 101 Switching Protocols", ""},
      {"HTTP/1.1 999 Odd", ""},
      {"ICY 200 OK", ""},
      {ok, "X: " + std::string(100 * 1024, 'a'), ""},
  };
  for (const auto& lines : cases) {
    CurlHead head;
    for (const auto& line : lines) head.feed(line + "\r\n");
    EXPECT_EQ(head.state(), CurlHead::State::refused) << lines[1];
    EXPECT_FALSE(head.error().empty());
  }
}

// Rows: H-16
TEST(CurlHead, refuses_a_flood_of_informational_heads) {
  CurlHead head;
  for (int i = 0; i < 16; ++i) {
    head.feed("HTTP/1.1 103 Early Hints\r\n");
    EXPECT_EQ(head.feed("\r\n"), CurlHead::State::reading) << i;
  }
  head.feed("HTTP/1.1 103 Early Hints\r\n");
  EXPECT_EQ(head.feed("\r\n"), CurlHead::State::refused);
}

}  // namespace
}  // namespace entrepot::http::curl_head_test
