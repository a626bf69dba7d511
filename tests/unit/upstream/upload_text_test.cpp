#include "upstream/upload_text.hpp"

#include <gtest/gtest.h>

#include "upstream/refusal_word.hpp"

namespace entrepot::upstream::upload_text_test {
namespace {

TEST(UploadRange, tells_how_many_bytes_stand) {
  EXPECT_EQ(parse_upload_range("0-99"), 100U);
  EXPECT_EQ(parse_upload_range("0-0"), 1U);
  EXPECT_EQ(parse_upload_range("bytes=0-99"), 100U);
  for (const auto* text : {"", "0", "0-", "1-99", "99", "0-x", "0--1", "-1", "0- 1", "0-1,3-4",
                           "bytes 0-99", "0-18446744073709551615", "0-4611686018427387904"})
    EXPECT_EQ(parse_upload_range(text), std::nullopt) << text;
}

std::string address(std::string_view upstream, std::string_view location) {
  const auto base = *http::parse_url(upstream);
  const auto found =
      upload_address(base, *http::parse_url(std::string(upstream) + "/v2/a"), location);
  return found ? found->text() : "-";
}

// Rows: U-04 U-05
TEST(UploadAddress, is_gone_to_as_the_upstream_is) {
  EXPECT_EQ(address("https://r.example", "/v2/a/1?_state=x%2F="),
            "https://r.example/v2/a/1?_state=x%2F=");
  EXPECT_EQ(address("https://r.example", "https://r.example/v2/a/1"), "https://r.example/v2/a/1");
  EXPECT_EQ(address("https://r.example:5000", "http://r.example/v2/a/1"),
            "https://r.example:5000/v2/a/1");
  EXPECT_EQ(address("https://r.example", "http://r.example:5000/v2/a/1"),
            "https://r.example/v2/a/1");
  EXPECT_EQ(address("https://r.example", "https://store.example/1"), "https://store.example/1");
  EXPECT_EQ(address("https://r.example", "http://store.example/1"), "-");
  EXPECT_EQ(address("https://r.example", "ftp://r.example/1"), "-");
  EXPECT_EQ(address("http://r.example", "https://r.example/1"), "https://r.example/1");
}

TEST(UploadAddress, keeps_its_query_when_the_digest_joins_it) {
  const auto with = [](std::string_view url) {
    return with_parameter(*http::parse_url(url), "digest", "sha256:ab").text();
  };
  EXPECT_EQ(with("https://r.example/1"), "https://r.example/1?digest=sha256%3Aab");
  EXPECT_EQ(with("https://r.example/1?_state=x%2F="),
            "https://r.example/1?_state=x%2F=&digest=sha256%3Aab");
}

TEST(RefusalWord, is_the_first_code) {
  EXPECT_EQ(refusal_word(R"({"errors":[{"code":"DENIED","message":"x"},{"code":"OTHER"}]})"),
            " (DENIED)");
  for (const auto* body : {"", "{}", "[]", "<html>", R"({"errors":{}})", R"({"errors":[]})",
                           R"({"errors":["DENIED"]})", R"({"errors":[{"code":7}]})",
                           R"({"errors":[{"code":""}]})", R"({"errors":[{"code":"see: secret"}]})"})
    EXPECT_EQ(refusal_word(body), "") << body;
}

}  // namespace
}  // namespace entrepot::upstream::upload_text_test
