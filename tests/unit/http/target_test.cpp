#include "entrepot/http/target.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::target_test {
namespace {

struct Accepted {
  std::string_view raw;
  std::string_view path;
  std::vector<std::pair<std::string, std::string>> query;
};

TEST(Target, decodes_once) {
  const Accepted cases[] = {
      {"/", "/", {}},
      {"/v2/", "/v2/", {}},
      {"/v2/a/blobs/sha256:00", "/v2/a/blobs/sha256:00", {}},
      {"/v2/a/blobs/sha256%3A00", "/v2/a/blobs/sha256:00", {}},
      {"/v2/a%2Db/tags/list?n=5&last=x", "/v2/a-b/tags/list", {{"n", "5"}, {"last", "x"}}},
      {"/v2/?ns=docker.io%3A443", "/v2/", {{"ns", "docker.io:443"}}},
      {"/v2/?a", "/v2/", {{"a", ""}}},
      {"/v2/?&&a=b=c&", "/v2/", {{"a", "b=c"}}},
      {"/v2/?artifactType=application/x+json", "/v2/", {{"artifactType", "application/x+json"}}},
      {"/v2/?x=%252e", "/v2/", {{"x", "%2e"}}},
      {"/v2/?x=../..", "/v2/", {{"x", "../.."}}},
      {"/caf%C3%A9", "/caf\xc3\xa9", {}},
      {"http://host:5000/v2/?a=1", "/v2/", {{"a", "1"}}},
      {"http://host", "/", {}},
  };
  for (const auto& expected : cases) {
    const auto target = parse_target(expected.raw);
    ASSERT_TRUE(target) << expected.raw;
    EXPECT_EQ(target->path, expected.path) << expected.raw;
    EXPECT_EQ(target->query, expected.query) << expected.raw;
  }
}

// Rows: P-01, P-02, H-10
TEST(Target, anything_that_could_mean_two_things_is_absent) {
  const std::string_view cases[] = {
      "",
      "*",
      "v2/",
      "host:443",
      "//",
      "//etc/passwd",
      "/v2//a/tags/list",
      "/v2/../etc",
      "/v2/a/..",
      "/v2/./a",
      "/v2/.",
      "/v2/%2e%2e/etc",
      "/v2/%2E%2e/etc",
      "/v2/%2e/a",
      "/v2/a%2fb",
      "/v2/a%2Fb",
      "/v2/%2F%2F..%2F",
      "/v2/a%5cb",
      "/v2/a\\b",
      "/v2/a%00b",
      "/v2/a%0ab",
      "/v2/a%7fb",
      "/v2/%252e%252e/etc",
      "/v2/a%25b",
      "/v2/a%",
      "/v2/a%2",
      "/v2/a%zz",
      "/v2/a%c0%ae",
      "/v2/a%e0%80%ae",
      "/v2/a%ff",
      "/v2/a%ed%a0%80",
      "/v2/caf\xc3\xa9",
      "/v2/a b",
      "/v2/a\tb",
      "/v2/#fragment",
      "/v2/?a=%00",
      "/v2/?a=%0d%0aX: y",
      "/v2/?a=%",
      "/v2/?a=%c0%ae",
      "http://host?query",
      "ftp",
  };
  for (const auto raw : cases) EXPECT_FALSE(parse_target(raw)) << raw;
}

TEST(Target, too_many_parameters_are_absent) {
  std::string raw = "/v2/?";
  for (int i = 0; i < 128; ++i) raw += "a=1&";
  EXPECT_TRUE(parse_target(raw));
  EXPECT_FALSE(parse_target(raw + "a=1"));
}

TEST(Target, query_value_is_the_first) {
  const auto target = parse_target("/?n=1&n=2&m");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->query_value("n"), "1");
  EXPECT_EQ(target->query_value("m"), "");
  EXPECT_FALSE(target->query_value("o"));
}

TEST(EncodeQuery, survives_the_way_through_a_target) {
  const std::string text = "a/b c+d%2e&=?\xc3\xa9~-._";
  EXPECT_EQ(encode_query("a/b +~"), "a%2Fb%20%2B~");
  const auto target = parse_target("/?x=" + encode_query(text));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->query_value("x"), text);
}

}  // namespace
}  // namespace entrepot::http::target_test
