// What log::write() would put on a line.
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "entrepot/base/log.hpp"

namespace entrepot::base::log::log_line_test {
namespace {

using namespace std::string_literals;

constexpr std::string_view noon = "2026-01-02T12:00:00.000Z";

std::string text_of(std::string_view value) {
  const Field fields[] = {{"k", value}};
  const auto line = render(Format::text, Level::info, noon, "e", fields);
  const auto start = "2026-01-02T12:00:00.000Z info msg=e k="s;
  EXPECT_TRUE(line.starts_with(start)) << line;
  return line.substr(start.size());
}

TEST(LogLine, text_is_key_and_value) {
  const Field fields[] = {
      {"status", 200}, {"bytes", std::uint64_t{1} << 40}, {"change", -3},
      {"ms", 0.25},    {"name", "library/busybox"},       {"agent", "docker/20.10 go"},
      {"none", ""}};
  EXPECT_EQ(render(Format::text, Level::warn, noon, "request done", fields),
            "2026-01-02T12:00:00.000Z warn msg=\"request done\" status=200 bytes=1099511627776 "
            "change=-3 ms=0.25 name=library/busybox agent=\"docker/20.10 go\" none=\"\"");
}

TEST(LogLine, json_is_one_object) {
  const Field fields[] = {{"status", 200}, {"ms", 0.25}, {"name", "a \"b\" \\ c"}};
  EXPECT_EQ(render(Format::json, Level::error, noon, "request", fields),
            R"({"time":"2026-01-02T12:00:00.000Z","level":"error","msg":"request",)"
            R"("status":200,"ms":0.25,"name":"a \"b\" \\ c"})");
}

// Rows: R-12
TEST(LogLine, value_cannot_end_or_forge_a_line) {
  const std::pair<std::string, const char*> rows[] = {
      {"a\r\n2026 info msg=forged", R"("a\r\n2026 info msg=forged")"},
      {"tab\there", R"("tab\there")"},
      {"\x1b[31mred", R"("\u001b[31mred")"},
      {"nul\0byte"s, R"("nul\u0000byte")"},
      {"del\x7f", R"("del\u007f")"},
      {"c1 \xc2\x9b", R"("c1 \u009b")"},
      {"line \xe2\x80\xa8 separator", R"("line \u2028 separator")"},
      {"bidi \xe2\x80\xae evil", R"("bidi \u202e evil")"},
      {"isolate \xe2\x81\xa6", R"("isolate \u2066")"},
      {"mark \xd8\x9c", R"("mark \u061c")"},
      {"bad \xff\xc0\x80", R"("bad \ufffd\ufffd\ufffd")"},
      {"a=b", R"("a=b")"},
      {"quote\"", R"("quote\"")"},
      {"back\\slash", R"("back\\slash")"},
      {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
  };
  for (const auto& [value, expected] : rows) EXPECT_EQ(text_of(value), expected);
}

// Rows: R-12
TEST(LogLine, json_stays_json_whatever_a_value_holds) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string value = "x" + std::string(3, static_cast<char>(byte)) + "\xe2\x80\xaey";
    const Field fields[] = {{"k", value}};
    const auto line = render(Format::json, Level::info, noon, value, fields);
    EXPECT_EQ(line.find_first_of("\n\r"), line.npos);
    boost::json::error_code ec;
    const auto parsed = boost::json::parse(line, ec);
    ASSERT_FALSE(ec) << line;
    EXPECT_EQ(parsed.as_object().size(), 4U);
  }
}

// Rows: R-12
TEST(LogLine, value_is_cut_at_one_kibibyte_between_characters) {
  EXPECT_EQ(text_of(std::string(1024, 'a')), std::string(1024, 'a'));
  EXPECT_EQ(text_of(std::string(1 << 20, 'a')), '"' + std::string(1024, 'a') + "…\"");
  std::string accents = "x";
  while (accents.size() < 2000) accents += "\xc3\xa9";
  EXPECT_EQ(text_of(accents), '"' + accents.substr(0, 1023) + "…\"");
}

TEST(LogLine, numbers_json_cannot_write_become_words) {
  const Field fields[] = {{"ms", 1.0 / 0.0}};
  const auto line = render(Format::json, Level::info, noon, "e", fields);
  EXPECT_NE(line.find(R"("ms":"not finite")"), line.npos);
}

TEST(RedactUrl, leaves_neither_password_nor_query_values) {
  const std::pair<const char*, const char*> rows[] = {
      {"https://example.com/v2/a/blobs/x", "https://example.com/v2/a/blobs/x"},
      {"https://user:secret@example.com:5000/v2/", "https://example.com:5000/v2/"},
      {"https://user:se@cret@example.com/", "https://example.com/"},
      {"https://s3.example/b?X-Amz-Signature=abc&X-Amz-Date=1",
       "https://s3.example/b?X-Amz-Signature=…&X-Amz-Date=…"},
      {"https://s3.example/b?token", "https://s3.example/b?…"},
      {"https://s3.example/b?a=1&&b=", "https://s3.example/b?a=…&&b=…"},
      {"https://s3.example/b?a=x=y", "https://s3.example/b?a=…"},
      {"https://s3.example?a=u:p@h", "https://s3.example?a=…"},
      {"https://u:p@s3.example?a=1", "https://s3.example?a=…"},
      {"https://s3.example/b?", "https://s3.example/b?"},
      {"https://s3.example/b#secret", "https://s3.example/b"},
      {"/relative?sig=1", "/relative?sig=…"},
      {"//u:p@host/x", "//host/x"},
      {"", ""},
  };
  for (const auto& [url, expected] : rows) EXPECT_EQ(redact_url(url), expected) << url;
}

}  // namespace
}  // namespace entrepot::base::log::log_line_test
