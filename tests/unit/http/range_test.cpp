#include "entrepot/http/range.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::range_test {
namespace {

using Ranges = std::vector<ByteRange>;

std::string describe(const Selection& selection) {
  if (std::holds_alternative<WholeBody>(selection)) return "whole";
  if (std::holds_alternative<Unsatisfiable>(selection)) return "none";
  std::string text;
  for (const auto& range : std::get<Ranges>(selection)) {
    text += std::to_string(range.first) + "+" + std::to_string(range.length) + " ";
  }
  return text;
}

struct Case {
  std::string_view header;
  std::uint64_t size;
  std::string_view expected;
};

// Rows: R-09
TEST(Range, selects) {
  const Case cases[] = {
      {"bytes=0-9", 100, "0+10 "},
      {"bytes=0-0", 100, "0+1 "},
      {"bytes=99-99", 100, "99+1 "},
      {"bytes=0-", 100, "0+100 "},
      {"bytes=50-", 100, "50+50 "},
      {"bytes=-10", 100, "90+10 "},
      {"bytes=-100", 100, "0+100 "},
      {"bytes=-1000", 100, "0+100 "},
      {"bytes=90-200", 100, "90+10 "},
      {"bytes=90-18446744073709551615", 100, "90+10 "},
      {"bytes=90-99999999999999999999999", 100, "90+10 "},
      {"bytes=99999999999999999999999-", 100, "none"},
      {"bytes=100-", 100, "none"},
      {"bytes=100-200", 100, "none"},
      {"bytes=-0", 100, "none"},
      {"bytes=-0,200-", 100, "none"},
      {"bytes=0-0,-1", 100, "0+1 99+1 "},
      {"bytes=0-0, 50-59 ,-1", 100, "0+1 50+10 99+1 "},
      {"bytes=50-59,0-9", 100, "50+10 0+10 "},
      {"bytes=0-9,10-19", 100, "0+10 10+10 "},
      {"bytes=0-9,200-", 100, "0+10 "},
      {"bytes=,0-9,,", 100, "0+10 "},
      {"Bytes=0-9", 100, "0+10 "},
      {"bytes=0-9,5-14", 100, "whole"},
      {"bytes=0-,0-", 100, "whole"},
      {"bytes=0-,-1", 100, "whole"},
      {"bytes=9-3", 100, "none"},
      {"bytes=9-3,0-1", 100, "0+2 "},
      {"bytes=", 100, "whole"},
      {"bytes=-", 100, "whole"},
      {"bytes=a-b", 100, "whole"},
      {"bytes=1", 100, "whole"},
      {"bytes=1-2-3", 100, "whole"},
      {"bytes=+1-2", 100, "whole"},
      {"bytes=1-2;3-4", 100, "whole"},
      {"bytes 1-2", 100, "whole"},
      {"items=1-2", 100, "whole"},
      {"", 100, "whole"},
      {"bytes=0-9", 0, "whole"},
      {"bytes=-5", 0, "whole"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(describe(select_ranges(each.header, each.size)), each.expected) << each.header;
  }
}

// Rows: R-09
TEST(Range, a_thousand_ranges_select_the_whole_body) {
  std::string few = "bytes=0-0";
  for (int i = 1; i < 64; ++i) few += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(std::get<Ranges>(select_ranges(few, 5000)).size(), 64U);
  EXPECT_EQ(describe(select_ranges(few + ",1000-1000", 5000)), "whole");
}

struct Answer {
  Reply reply;
  std::string text;  // sources shown as [offset+length]
};

Answer answer(std::string_view method, std::vector<Headers::Field> fields) {
  Request request;
  request.method = method;
  for (const auto& [name, value] : fields) request.headers.add(name, value);
  Answer made;
  set_content(made.reply, request, async::memory_source(std::string(100, 'x')), "application/zip",
              "\"tag\"");
  for (const auto& part : made.reply.body) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      made.text += *text;
    } else {
      const auto& source = std::get<SourcePart>(part);
      made.text += "[" + std::to_string(source.offset) + "+" + std::to_string(source.length) + "]";
    }
  }
  return made;
}

TEST(SetContent, whole_body) {
  const auto [reply, text] = answer("GET", {});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.get("Accept-Ranges"), "bytes");
  EXPECT_EQ(reply.headers.get("Content-Type"), "application/zip");
  EXPECT_FALSE(reply.headers.get("Content-Range"));
  EXPECT_EQ(text, "[0+100]");
}

TEST(SetContent, one_range) {
  const auto [reply, text] = answer("GET", {{"Range", "bytes=10-19"}});
  EXPECT_EQ(reply.status, 206);
  EXPECT_EQ(reply.headers.get("Content-Range"), "bytes 10-19/100");
  EXPECT_EQ(reply.headers.get("Content-Type"), "application/zip");
  EXPECT_EQ(text, "[10+10]");
  EXPECT_EQ(reply.body_length(), 10U);
}

TEST(SetContent, several_ranges_are_multipart_with_an_exact_length) {
  const auto [reply, text] = answer("GET", {{"Range", "bytes=0-0,-2"}});
  EXPECT_EQ(reply.status, 206);
  EXPECT_FALSE(reply.headers.get("Content-Range"));
  const std::string type(*reply.headers.get("Content-Type"));
  const std::string prefix = "multipart/byteranges; boundary=";
  ASSERT_TRUE(type.starts_with(prefix));
  const auto boundary = type.substr(prefix.size());
  const auto part = "Content-Type: application/zip\r\nContent-Range: bytes ";
  EXPECT_EQ(text, "--" + boundary + "\r\n" + part + "0-0/100\r\n\r\n[0+1]\r\n--" + boundary +
                      "\r\n" + part + "98-99/100\r\n\r\n[98+2]\r\n--" + boundary + "--\r\n");
  EXPECT_EQ(reply.body_length(), text.size() - std::string("[0+1][98+2]").size() + 3);
}

TEST(SetContent, unsatisfiable) {
  const auto [reply, text] = answer("GET", {{"Range", "bytes=100-"}});
  EXPECT_EQ(reply.status, 416);
  EXPECT_EQ(reply.headers.get("Content-Range"), "bytes */100");
  EXPECT_EQ(reply.headers.get("Content-Type"), "application/json");
  EXPECT_NE(text.find("\"errors\""), std::string::npos);
}

TEST(SetContent, when_the_range_does_not_count) {
  const std::vector<Headers::Field> cases[] = {
      {{"Range", "bytes=0-0"}, {"Range", "bytes=1-1"}},
      {{"Range", "bytes=0-0"}, {"If-Range", "\"other\""}},
      {{"Range", "bytes=0-0"}, {"If-Range", "W/\"tag\""}},
      {{"Range", "bytes=0-0"}, {"If-Range", "Sat, 21 Nov 2026 00:00:00 GMT"}},
  };
  for (const auto& fields : cases) EXPECT_EQ(answer("GET", fields).reply.status, 200);
  EXPECT_EQ(answer("HEAD", {{"Range", "bytes=0-0"}}).reply.status, 200);
  EXPECT_EQ(answer("GET", {{"Range", "bytes=0-0"}, {"If-Range", "\"tag\""}}).reply.status, 206);
}

}  // namespace
}  // namespace entrepot::http::range_test
