#include "http/gate.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::gate_test {
namespace {

std::expected<Admission, Rejection> admit_text(const std::string& text) {
  const auto head = parse_head(text + "\r\n");
  if (!head) return std::unexpected(head.error());
  return admit(*head);
}

std::string request(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields);
}

TEST(Gate, framing) {
  EXPECT_EQ(admit_text(request(""))->framing, Framing::none);
  EXPECT_EQ(admit_text(request("Content-Length: 0\r\n"))->framing, Framing::none);
  EXPECT_EQ(admit_text(request("Transfer-Encoding: CHUNKED\r\n"))->framing, Framing::chunked);
  const auto length = admit_text(request("content-length: 18446744073709551615\r\n"));
  ASSERT_TRUE(length);
  EXPECT_EQ(length->framing, Framing::length);
  EXPECT_EQ(length->content_length, 18'446'744'073'709'551'615U);
}

TEST(Gate, persistence) {
  const std::pair<std::string_view, bool> cases[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\n", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", false},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, CLOSE\r\n", false},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n", false},
      {"GET / HTTP/1.0\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", false},
  };
  for (const auto& [text, keep] : cases) {
    EXPECT_EQ(admit_text(std::string(text))->keep_alive, keep) << text;
  }
}

// Rows: H-14
TEST(Gate, expectations) {
  EXPECT_TRUE(admit_text(request("Expect: 100-Continue\r\n"))->expects_continue);
  EXPECT_EQ(admit_text(request("Expect: something\r\n")).error().status, 417);
  EXPECT_FALSE(admit_text("GET / HTTP/1.0\r\nExpect: 100-continue\r\n")->expects_continue);
}

// Rows: P-01, P-02
TEST(Gate, target_is_decoded_once_or_refused) {
  const auto at = [](std::string_view target) {
    return admit_text("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n");
  };
  EXPECT_EQ(at("/v2/a%2Db?x=%2e")->target.path, "/v2/a-b");
  EXPECT_EQ(at("http://H/v2/")->target.path, "/v2/");
  for (const auto* target : {"/v2/%2e%2e/x", "/v2/%252e/x", "/v2//x", "/v2/a%2fb"}) {
    ASSERT_FALSE(at(target)) << target;
    EXPECT_EQ(at(target).error().status, 400);
    EXPECT_EQ(at(target).error().code, oci::ErrorCode::name_invalid);
  }
}

}  // namespace
}  // namespace entrepot::http::gate_test
