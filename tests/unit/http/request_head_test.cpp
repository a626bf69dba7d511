#include "http/request_head.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::request_head_test {
namespace {

// The length of the head, 0 while incomplete, minus the status when refused.
int scan_in_pieces(std::string_view text, std::size_t piece) {
  HeadScanner scanner;
  for (std::size_t size = std::min(piece, text.size());;
       size = std::min(size + piece, text.size())) {
    const auto found = scanner.scan(text.substr(0, size));
    if (!found) return -found.error().status;
    if (*found) return static_cast<int>(**found);
    if (size == text.size()) return 0;
  }
}

// Rows: H-07, H-09, H-15
TEST(HeadScanner, same_verdict_however_the_head_arrives) {
  const std::pair<std::string_view, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 18},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\nbody", 27},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r", 0},
      {"GET", 0},
      {"GET / HTTP/1.1\n\n", -400},
      {"GET / HTTP/1.1\r\nHost: h\n\r\n", -400},
      {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", -400},
      {"GET / HTTP/1.1\r\nX: y\r\n\tz\r\n\r\n", -400},
      {"\r\nGET / HTTP/1.1\r\n\r\n", -400},
      {"\n", -400},
      {"\x16\x03\x01", -400},
  };
  for (const auto& [text, expected] : cases) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      EXPECT_EQ(scan_in_pieces(text, piece), expected) << text << " in pieces of " << piece;
    }
  }
}

// Rows: H-09
TEST(HeadScanner, limits) {
  const std::string line = "X: " + std::string(8 * 1024 - 3, 'y') + "\r\n";
  const std::string first = "GET / HTTP/1.1\r\n";
  std::string fields;
  for (int i = 0; i < 64; ++i) fields += "X: y\r\n";
  for (const std::size_t piece : {1000U, 100'000U}) {
    EXPECT_GT(scan_in_pieces(first + line + "\r\n", piece), 0);
    EXPECT_EQ(scan_in_pieces(first + "y" + line + "\r\n", piece), -431);
    EXPECT_EQ(scan_in_pieces(std::string(9000, 'y'), piece), -431);
    EXPECT_GT(scan_in_pieces(first + fields + "\r\n", piece), 0);
    EXPECT_EQ(scan_in_pieces(first + fields + "X: y\r\n\r\n", piece), -431);
    EXPECT_GT(scan_in_pieces(first + line + line + line + "\r\n", piece), 0);
    EXPECT_EQ(scan_in_pieces(first + line + line + line + line + "\r\n", piece), -431);
  }
}

TEST(ParseHead, fields_in_order_and_trimmed) {
  const auto head = parse_head("PUT /a?b HTTP/1.0\r\nB:  x y \r\na: \r\nB: z\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "PUT");
  EXPECT_EQ(head->target, "/a?b");
  EXPECT_EQ(head->minor_version, 0);
  EXPECT_EQ(head->headers.fields(),
            (std::vector<Headers::Field>{{"B", "x y"}, {"a", ""}, {"B", "z"}}));
}

// Rows: H-07
TEST(ParseHead, malformed) {
  for (const std::string_view text :
       {"GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET / HTTP/1.2\r\n\r\n",
        "GET / http/1.1\r\n\r\n", "G@T / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nX y\r\n\r\n",
        "GET / HTTP/1.1\r\nX : y\r\n\r\n", "GET / HTTP/1.1\r\n: y\r\n\r\n",
        "GET / HTTP/1.1\r\nX: \x01\r\n\r\n", "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n"}) {
    EXPECT_FALSE(parse_head(text)) << text;
  }
}

}  // namespace
}  // namespace entrepot::http::request_head_test
